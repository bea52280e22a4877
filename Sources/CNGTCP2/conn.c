// Connections: the ngtcp2 half.
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static ngtcp2_conn *get_conn(ngtcp2_crypto_conn_ref *ref) { return ((bq_conn *)ref->user_data)->conn; }

static socklen_t address_length(const struct sockaddr *address) {
    return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static ngtcp2_path path_of(const struct sockaddr *local, const struct sockaddr *remote) {
    ngtcp2_path path;
    memset(&path, 0, sizeof(path));
    path.local.addr = (ngtcp2_sockaddr *)local;
    path.local.addrlen = address_length(local);
    path.remote.addr = (ngtcp2_sockaddr *)remote;
    path.remote.addrlen = address_length(remote);
    return path;
}

// MARK: Callbacks of ngtcp2. None calls back into the connection.

#define EVENTS(user_data) (((bq_conn *)(user_data))->events)
#define OWNER(user_data) (((bq_conn *)(user_data))->owner)

static int handshake_completed(ngtcp2_conn *conn, void *user_data) {
    (void)conn;
    EVENTS(user_data).handshake_completed(OWNER(user_data));
    return 0;
}

static int handshake_confirmed(ngtcp2_conn *conn, void *user_data) {
    (void)conn;
    EVENTS(user_data).handshake_confirmed(OWNER(user_data));
    return 0;
}

static int stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t stream, uint64_t offset, const uint8_t *data,
                       size_t length, void *user_data, void *stream_user_data) {
    (void)conn, (void)offset, (void)stream_user_data;
    EVENTS(user_data).stream_data(OWNER(user_data), stream, data, length, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
    return 0;
}

static int stream_acknowledged(ngtcp2_conn *conn, int64_t stream, uint64_t offset, uint64_t length, void *user_data,
                               void *stream_user_data) {
    (void)conn, (void)offset, (void)stream_user_data;
    EVENTS(user_data).stream_acknowledged(OWNER(user_data), stream, length);
    return 0;
}

static int stream_opened(ngtcp2_conn *conn, int64_t stream, void *user_data) {
    (void)conn;
    EVENTS(user_data).stream_opened(OWNER(user_data), stream);
    return 0;
}

static int stream_closed(ngtcp2_conn *conn, uint32_t flags, int64_t stream, uint64_t code, void *user_data,
                         void *stream_user_data) {
    (void)conn, (void)flags, (void)code, (void)stream_user_data;
    EVENTS(user_data).stream_closed(OWNER(user_data), stream);
    return 0;
}

static int stream_reset(ngtcp2_conn *conn, int64_t stream, uint64_t final_size, uint64_t code, void *user_data,
                        void *stream_user_data) {
    (void)conn, (void)final_size, (void)stream_user_data;
    EVENTS(user_data).stream_reset(OWNER(user_data), stream, code);
    return 0;
}

static int stop_sending(ngtcp2_conn *conn, int64_t stream, uint64_t code, void *user_data, void *stream_user_data) {
    (void)conn, (void)stream_user_data;
    EVENTS(user_data).stop_sending(OWNER(user_data), stream, code);
    return 0;
}

static int stream_credit(ngtcp2_conn *conn, int64_t stream, uint64_t max_data, void *user_data,
                         void *stream_user_data) {
    (void)conn, (void)max_data, (void)stream_user_data;
    EVENTS(user_data).stream_credit(OWNER(user_data), stream);
    return 0;
}

static int streams_available(ngtcp2_conn *conn, uint64_t max_streams, void *user_data) {
    (void)conn, (void)max_streams;
    EVENTS(user_data).streams_available(OWNER(user_data));
    return 0;
}

static void random_bytes(uint8_t *bytes, size_t length, const ngtcp2_rand_ctx *context) {
    (void)context;
    (void)gnutls_rnd(GNUTLS_RND_NONCE, bytes, length);
}

static int reset_token(bq_conn *conn, const ngtcp2_cid *cid, uint8_t *token) {
    if (conn->reset_secret == NULL) return gnutls_rnd(GNUTLS_RND_RANDOM, token, NGTCP2_STATELESS_RESET_TOKENLEN);
    return ngtcp2_crypto_generate_stateless_reset_token(token, conn->reset_secret, conn->reset_secret_length, cid);
}

static int new_connection_id(ngtcp2_conn *ngtcp2, ngtcp2_cid *cid, uint8_t *token, size_t length, void *user_data) {
    (void)ngtcp2;
    bq_conn *conn = user_data;
    if (gnutls_rnd(GNUTLS_RND_RANDOM, cid->data, length) != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
    cid->datalen = length;
    if (reset_token(conn, cid, token) != 0) return NGTCP2_ERR_CALLBACK_FAILURE;
    conn->events.connection_id_issued(conn->owner, cid->data, cid->datalen);
    return 0;
}

static int remove_connection_id(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user_data) {
    (void)conn;
    EVENTS(user_data).connection_id_retired(OWNER(user_data), cid->data, cid->datalen);
    return 0;
}

#if BQ_NGTCP2_1
static int path_validated(ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path, const ngtcp2_path *old,
                          ngtcp2_path_validation_result result, void *user_data) {
    (void)old;
#else
static int path_validated(ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path,
                          ngtcp2_path_validation_result result, void *user_data) {
#endif
    (void)conn, (void)flags;
    EVENTS(user_data).path_validated(OWNER(user_data), (const struct sockaddr *)path->local.addr,
                                     (const struct sockaddr *)path->remote.addr,
                                     result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS);
    return 0;
}

static int versions_offered(ngtcp2_conn *conn, const ngtcp2_pkt_hd *header, const uint32_t *versions, size_t count,
                            void *user_data) {
    (void)conn, (void)header;
    EVENTS(user_data).versions_offered(OWNER(user_data), versions, count);
    return 0;
}

static int stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset, void *user_data) {
    (void)conn, (void)reset;
    EVENTS(user_data).stateless_reset(OWNER(user_data));
    return 0;
}

static void qlog(void *user_data, uint32_t flags, const void *data, size_t length) {
    (void)flags;
    EVENTS(user_data).qlog(OWNER(user_data), data, length);
}

static ngtcp2_callbacks callbacks(int is_server) {
    ngtcp2_callbacks table;
    memset(&table, 0, sizeof(table));
    if (is_server) {
        table.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
    } else {
        table.client_initial = ngtcp2_crypto_client_initial_cb;
        table.recv_retry = ngtcp2_crypto_recv_retry_cb;
        table.recv_version_negotiation = versions_offered;
    }
    table.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
    table.encrypt = ngtcp2_crypto_encrypt_cb;
    table.decrypt = ngtcp2_crypto_decrypt_cb;
    table.hp_mask = ngtcp2_crypto_hp_mask_cb;
    table.update_key = ngtcp2_crypto_update_key_cb;
    table.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    table.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    table.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
    table.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
    table.handshake_completed = handshake_completed;
    table.handshake_confirmed = handshake_confirmed;
    table.recv_stream_data = stream_data;
    table.acked_stream_data_offset = stream_acknowledged;
    table.stream_open = stream_opened;
    table.stream_close = stream_closed;
    table.stream_reset = stream_reset;
    table.stream_stop_sending = stop_sending;
    table.extend_max_stream_data = stream_credit;
    table.extend_max_local_streams_bidi = streams_available;
    table.recv_stateless_reset = stateless_reset;
    table.rand = random_bytes;
    table.get_new_connection_id = new_connection_id;
    table.remove_connection_id = remove_connection_id;
    table.path_validation = path_validated;
    return table;
}

// MARK: Life

static void fill_settings(ngtcp2_settings *settings, const bq_settings *from) {
    ngtcp2_settings_default(settings);
    settings->initial_ts = from->now;
    settings->handshake_timeout = from->handshake_timeout;
    settings->cc_algo = from->bbr ? NGTCP2_CC_ALGO_BBR : NGTCP2_CC_ALGO_CUBIC;
    settings->max_tx_udp_payload_size = from->max_tx_udp_payload;
    settings->no_pmtud = !from->path_mtu_discovery;
    if (from->qlog) {
#if BQ_NGTCP2_1
        settings->qlog_write = qlog;
#else
        settings->qlog.write = qlog;
#endif
    }
}

static void fill_params(ngtcp2_transport_params *params, const bq_settings *from) {
    ngtcp2_transport_params_default(params);
    params->initial_max_data = from->max_data;
    params->initial_max_stream_data_bidi_local = from->max_stream_data;
    params->initial_max_stream_data_bidi_remote = from->max_stream_data;
    params->initial_max_streams_bidi = from->max_bidi_streams;
    params->max_idle_timeout = from->idle_timeout;
    params->active_connection_id_limit = from->active_connection_id_limit;
    params->max_udp_payload_size = from->max_rx_udp_payload;
}

static bq_conn *conn_new(bq_tls *tls, size_t cid_length, const bq_events *events, void *owner) {
    bq_conn *conn = calloc(1, sizeof(*conn));
    if (conn == NULL) return NULL;
    conn->ref.get_conn = get_conn;
    conn->ref.user_data = conn;
    conn->tls = tls;
    conn->events = *events;
    conn->owner = owner;
    conn->cid_length = cid_length;
    conn->tls_alert = -1;
    return conn;
}

bq_conn *bq_conn_client_new(bq_tls *tls, const bq_settings *from, const char *server_name, const uint8_t *alpn,
                            size_t alpn_length, const struct sockaddr *local, const struct sockaddr *remote,
                            size_t cid_length, const bq_events *events, void *owner) {
    bq_conn *conn = conn_new(tls, cid_length, events, owner);
    if (conn == NULL) return NULL;
    conn->server_name = strdup(server_name);
    ngtcp2_cid dcid, scid;
    dcid.datalen = 16;
    scid.datalen = cid_length;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    fill_settings(&settings, from);
    fill_params(&params, from);
    ngtcp2_callbacks table = callbacks(0);
    ngtcp2_path path = path_of(local, remote);
    if (conn->server_name == NULL || gnutls_rnd(GNUTLS_RND_RANDOM, dcid.data, dcid.datalen) != 0 ||
        gnutls_rnd(GNUTLS_RND_RANDOM, scid.data, scid.datalen) != 0 || bq_session_new(conn, alpn, alpn_length) != 0 ||
        ngtcp2_conn_client_new(&conn->conn, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1, &table, &settings, &params, NULL,
                               conn) != 0) {
        bq_conn_free(conn);
        return NULL;
    }
    ngtcp2_conn_set_tls_native_handle(conn->conn, conn->session);
    return conn;
}

static int server_params(bq_conn *conn, ngtcp2_transport_params *params, const bq_initial *initial,
                         const ngtcp2_cid *scid) {
    ngtcp2_cid_init(&params->original_dcid, initial->original_dcid, initial->original_dcid_length);
#if BQ_NGTCP2_1
    params->original_dcid_present = 1;
#endif
    if (initial->after_retry) {
        ngtcp2_cid_init(&params->retry_scid, initial->dcid, initial->dcid_length);
        params->retry_scid_present = 1;
    }
    params->stateless_reset_token_present = 1;
    return reset_token(conn, scid, params->stateless_reset_token);
}

bq_conn *bq_conn_server_new(bq_tls *tls, const bq_settings *from, const bq_initial *initial, const uint8_t *alpn,
                            size_t alpn_length, const struct sockaddr *local, const struct sockaddr *remote,
                            size_t cid_length, const uint8_t *reset_secret, size_t reset_secret_length,
                            const bq_events *events, void *owner) {
    bq_conn *conn = conn_new(tls, cid_length, events, owner);
    if (conn == NULL) return NULL;
    ngtcp2_cid client, scid;
    ngtcp2_cid_init(&client, initial->scid, initial->scid_length);
    scid.datalen = cid_length;
    ngtcp2_settings settings;
    ngtcp2_transport_params params;
    fill_settings(&settings, from);
    fill_params(&params, from);
#if BQ_NGTCP2_1
    settings.token = initial->token;
    settings.tokenlen = initial->token_length;
#else
    settings.token.base = (uint8_t *)initial->token;
    settings.token.len = initial->token_length;
#endif
    ngtcp2_callbacks table = callbacks(1);
    ngtcp2_path path = path_of(local, remote);
    conn->reset_secret = malloc(reset_secret_length);
    conn->reset_secret_length = reset_secret_length;
    if (conn->reset_secret != NULL) memcpy(conn->reset_secret, reset_secret, reset_secret_length);
    if (conn->reset_secret == NULL || gnutls_rnd(GNUTLS_RND_RANDOM, scid.data, scid.datalen) != 0 ||
        server_params(conn, &params, initial, &scid) != 0 || bq_session_new(conn, alpn, alpn_length) != 0 ||
        ngtcp2_conn_server_new(&conn->conn, &client, &scid, &path, initial->version, &table, &settings, &params, NULL,
                               conn) != 0) {
        bq_conn_free(conn);
        return NULL;
    }
    ngtcp2_conn_set_tls_native_handle(conn->conn, conn->session);
    return conn;
}

void bq_conn_free(bq_conn *conn) {
    if (conn == NULL) return;
    // ngtcp2 may still use the session's keys.
    if (conn->conn != NULL) ngtcp2_conn_del(conn->conn);
    if (conn->session != NULL) gnutls_deinit(conn->session);
    free(conn->server_name);
    free(conn->reset_secret);
    free(conn);
}

// MARK: Errors

bq_status bq_status_of(bq_conn *conn, int error) {
    if (error == 0) return BQ_OK;
    conn->last_error = error;
    switch (error) {
    case NGTCP2_ERR_STREAM_DATA_BLOCKED: return BQ_STREAM_BLOCKED;
    case NGTCP2_ERR_STREAM_NOT_FOUND:
    case NGTCP2_ERR_STREAM_SHUT_WR: return BQ_STREAM_GONE;
    case NGTCP2_ERR_STREAM_ID_BLOCKED: return BQ_STREAMS_EXHAUSTED;
    case NGTCP2_ERR_WRITE_MORE: return BQ_WRITE_MORE;
    case NGTCP2_ERR_CLOSING: return BQ_CLOSING;
    case NGTCP2_ERR_DRAINING: return BQ_DRAINING;
    case NGTCP2_ERR_IDLE_CLOSE: return BQ_IDLE_TIMEOUT;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: return BQ_HANDSHAKE_TIMEOUT;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION: return BQ_VERSION_NEGOTIATION;
    case NGTCP2_ERR_RETRY: return BQ_RETRY;
    case NGTCP2_ERR_DROP_CONN: return BQ_DROP;
    case NGTCP2_ERR_CRYPTO:
        conn->tls_alert = ngtcp2_conn_get_tls_alert(conn->conn);
        return BQ_TLS;
    case NGTCP2_ERR_INVALID_STATE:
    case NGTCP2_ERR_CONN_ID_BLOCKED: return BQ_INVALID_STATE;
    case NGTCP2_ERR_NOMEM: return BQ_NO_MEMORY;
    default: return BQ_FAILED;
    }
}

int bq_conn_tls_alert(bq_conn *conn) { return conn->tls_alert; }
int bq_conn_last_error(bq_conn *conn) { return conn->last_error; }
uint64_t bq_conn_last_error_code(bq_conn *conn) {
    return ngtcp2_err_infer_quic_transport_error_code(conn->last_error);
}
const char *bq_error_text(int error) { return ngtcp2_strerror(error); }

// MARK: Datagrams

bq_status bq_conn_read(bq_conn *conn, const struct sockaddr *local, const struct sockaddr *remote, uint8_t ecn,
                       const uint8_t *data, size_t length, bq_time now) {
    ngtcp2_path path = path_of(local, remote);
    ngtcp2_pkt_info info;
    memset(&info, 0, sizeof(info));
    info.ecn = ecn;
    return bq_status_of(conn, ngtcp2_conn_read_pkt(conn->conn, &path, &info, data, length, now));
}

static void note_path(bq_written *written, const ngtcp2_path *path) {
    memcpy(&written->remote, path->remote.addr, path->remote.addrlen);
    memcpy(&written->local, path->local.addr, path->local.addrlen);
}

bq_status bq_conn_write(bq_conn *conn, uint8_t *buffer, size_t size, int64_t stream, int fin, const bq_slice *slices,
                        size_t slice_count, int more, bq_written *written, bq_time now) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    if (more) flags |= NGTCP2_WRITE_STREAM_FLAG_MORE;
    if (fin) flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
    ngtcp2_ssize consumed = -1;
    // bq_slice has the layout of ngtcp2_vec, which is checked below.
    ngtcp2_ssize result =
        ngtcp2_conn_writev_stream(conn->conn, &path.path, &conn->packet_info, buffer, size, &consumed, flags, stream,
                                  (const ngtcp2_vec *)slices, slice_count, now);
    written->length = result > 0 ? (size_t)result : 0;
    written->consumed = consumed;
    written->ecn = conn->packet_info.ecn;
    if (result > 0) note_path(written, &path.path);
    return result >= 0 ? BQ_OK : bq_status_of(conn, (int)result);
}

_Static_assert(sizeof(bq_slice) == sizeof(ngtcp2_vec), "bq_slice is ngtcp2_vec");
_Static_assert(offsetof(bq_slice, base) == offsetof(ngtcp2_vec, base), "bq_slice is ngtcp2_vec");
_Static_assert(offsetof(bq_slice, length) == offsetof(ngtcp2_vec, len), "bq_slice is ngtcp2_vec");

size_t bq_conn_send_quantum(bq_conn *conn) { return ngtcp2_conn_get_send_quantum(conn->conn); }
uint64_t bq_conn_window_left(bq_conn *conn) { return ngtcp2_conn_get_cwnd_left(conn->conn); }

void bq_conn_burst_written(bq_conn *conn, bq_time now) {
    // 0.12 would pace the handshake by an initial round-trip time of 333 ms.
    if (ngtcp2_conn_get_handshake_completed(conn->conn)) ngtcp2_conn_update_pkt_tx_time(conn->conn, now);
}

size_t bq_conn_write_close(bq_conn *conn, uint8_t *buffer, size_t size, int application, uint64_t code,
                           const char *reason, size_t reason_length, bq_written *written, bq_time now) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_zero(&path);
    bq_ccerr error;
    bq_ccerr_default(&error);
    if (application) {
        bq_ccerr_set_application(&error, code, (const uint8_t *)reason, reason_length);
    } else if (conn->tls_alert > 0) {
        bq_ccerr_set_tls_alert(&error, (uint8_t)conn->tls_alert);
    } else {
        bq_ccerr_set_liberr(&error, conn->last_error);
    }
    ngtcp2_pkt_info info;
    memset(&info, 0, sizeof(info));
    ngtcp2_ssize length =
        ngtcp2_conn_write_connection_close(conn->conn, &path.path, &info, buffer, size, &error, now);
    written->length = length > 0 ? (size_t)length : 0;
    written->consumed = -1;
    written->ecn = info.ecn;
    if (length > 0) note_path(written, &path.path);
    return written->length;
}

// MARK: Time

bq_time bq_conn_deadline(bq_conn *conn) { return ngtcp2_conn_get_expiry(conn->conn); }

bq_status bq_conn_handle_deadline(bq_conn *conn, bq_time now) {
    return bq_status_of(conn, ngtcp2_conn_handle_expiry(conn->conn, now));
}

bq_time bq_conn_pto(bq_conn *conn) { return ngtcp2_conn_get_pto(conn->conn); }

void bq_conn_set_keep_alive(bq_conn *conn, bq_time interval) {
    ngtcp2_conn_set_keep_alive_timeout(conn->conn, interval);
}

// MARK: Streams

bq_status bq_conn_open_stream(bq_conn *conn, int64_t *stream) {
    return bq_status_of(conn, ngtcp2_conn_open_bidi_stream(conn->conn, stream, NULL));
}

bq_status bq_conn_reset_stream(bq_conn *conn, int64_t stream, uint64_t code) {
    return bq_status_of(conn, bq_conn_shutdown_stream(conn->conn, stream, code));
}

void bq_conn_grant(bq_conn *conn, int64_t stream, uint64_t length) {
    // A stream that is gone needs no credit of its own; the connection does.
    if (stream >= 0) (void)ngtcp2_conn_extend_max_stream_offset(conn->conn, stream, length);
    ngtcp2_conn_extend_max_offset(conn->conn, length);
}

int bq_conn_is_blocked(bq_conn *conn) { return ngtcp2_conn_get_max_data_left(conn->conn) == 0; }

void bq_conn_allow_stream(bq_conn *conn) { ngtcp2_conn_extend_max_streams_bidi(conn->conn, 1); }

bq_status bq_conn_migrate(bq_conn *conn, const struct sockaddr *local, const struct sockaddr *remote, bq_time now) {
    ngtcp2_path path = path_of(local, remote);
    return bq_status_of(conn, ngtcp2_conn_initiate_migration(conn->conn, &path, now));
}

bq_status bq_conn_update_key(bq_conn *conn, bq_time now) {
    return bq_status_of(conn, ngtcp2_conn_initiate_key_update(conn->conn, now));
}

// MARK: State

int bq_conn_is_closing(bq_conn *conn) { return bq_in_closing_period(conn->conn) != 0; }
int bq_conn_is_draining(bq_conn *conn) { return bq_in_draining_period(conn->conn) != 0; }

int bq_conn_peer_close(bq_conn *conn, bq_close *close) {
    memset(close, 0, sizeof(*close));
#if BQ_NGTCP2_1
    const bq_ccerr *error = ngtcp2_conn_get_ccerr(conn->conn);
#else
    bq_ccerr storage;
    ngtcp2_conn_get_connection_close_error(conn->conn, &storage);
    const bq_ccerr *error = &storage;
#endif
    if (!bq_in_draining_period(conn->conn)) return 0;
    close->is_application = error->type == BQ_CCERR_APPLICATION;
    close->code = error->error_code;
    size_t length = error->reasonlen < sizeof(close->reason) - 1 ? error->reasonlen : sizeof(close->reason) - 1;
    if (error->reason != NULL && length > 0) memcpy(close->reason, error->reason, length);
    return 1;
}

void bq_conn_stats(bq_conn *conn, bq_stats *stats) {
#if BQ_NGTCP2_1
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info(conn->conn, &info);
#else
    ngtcp2_conn_stat info;
    ngtcp2_conn_get_conn_stat(conn->conn, &info);
#endif
    stats->smoothed_rtt = info.smoothed_rtt;
    // Without a sample ngtcp2 says UINT64_MAX.
    stats->min_rtt = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt;
    stats->latest_rtt = info.latest_rtt;
    stats->congestion_window = info.cwnd;
    stats->bytes_in_flight = info.bytes_in_flight;
    stats->datagram_size = ngtcp2_conn_get_path_max_tx_udp_payload_size(conn->conn);
    stats->packets_lost = -1;
}

size_t bq_conn_connection_ids(bq_conn *conn, uint8_t *ids, size_t stride, size_t *lengths, size_t max) {
#if BQ_NGTCP2_1
    size_t count = ngtcp2_conn_get_scid(conn->conn, NULL);
#else
    size_t count = ngtcp2_conn_get_num_scid(conn->conn);
#endif
    ngtcp2_cid *all = calloc(count + 1, sizeof(*all));
    if (all == NULL) return 0;
    count = ngtcp2_conn_get_scid(conn->conn, all);
    if (count > max) count = max;
    for (size_t i = 0; i < count; i++) {
        lengths[i] = all[i].datalen < stride ? all[i].datalen : stride;
        memcpy(ids + i * stride, all[i].data, lengths[i]);
    }
    free(all);
    return count;
}
