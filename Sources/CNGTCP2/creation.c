/// Making and freeing a connection.
#include "callbacks.h"
#include "connection_ids.h"
#include "resumption.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ngtcp2_conn *conn_of_reference(ngtcp2_crypto_conn_ref *reference) {
    return ((bridge_quic_connection *)reference)->conn;
}

static void write_qlog(void *user_data, uint32_t flags, const void *bytes, size_t length) {
    (void)flags;
    bridge_quic_connection *connection = user_data;
    if (connection->qlog) {
        fwrite(bytes, 1, length, connection->qlog);
    }
}

/// Opens "<directory>/<first destination connection ID>_<role>.sqlog". If the file cannot be opened, there is no qlog:
/// a debugging aid must not prevent a connection.
static void open_qlog(bridge_quic_connection *connection, const char *directory, const ngtcp2_cid *id) {
    char path[1024];
    char name[2 * NGTCP2_MAX_CIDLEN + 1] = {0};
    for (size_t i = 0; i < id->datalen && i < NGTCP2_MAX_CIDLEN; i++) {
        snprintf(name + 2 * i, 3, "%02x", id->data[i]);
    }
    int length = snprintf(path, sizeof(path), "%s/%s_%s.sqlog", directory, name,
                          connection->is_server ? "server" : "client");
    if (length > 0 && (size_t)length < sizeof(path)) {
        int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        connection->qlog = file < 0 ? NULL : fdopen(file, "w");
        if (file >= 0 && !connection->qlog) {
            close(file);
        }
    }
}

static ngtcp2_settings settings_of(bridge_quic_connection *connection, const bridge_quic_settings *given,
                                   const ngtcp2_cid *first_id, uint64_t now) {
    ngtcp2_settings settings;
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now;
    /* Whatever is sent carries an acknowledgement; acknowledgements.c decides what is sent. */
    settings.ack_thresh = 1;
    settings.cc_algo = given->bbr ? BRIDGE_COMPAT_BBR : NGTCP2_CC_ALGO_CUBIC;
    settings.handshake_timeout = given->handshake_timeout;
    settings.max_tx_udp_payload_size = given->max_datagram_size;
    settings.max_stream_window = given->max_stream_window;
    settings.no_pmtud = !given->path_mtu_discovery;
    /* Only if the token was verified, because ngtcp2 then considers the client's address validated. */
    if (given->initial && given->initial->after_retry) {
        bridge_compat_set_token(&settings, given->initial->token, given->initial->token_length);
    }
    if (given->qlog_directory) {
        open_qlog(connection, given->qlog_directory, first_id);
        if (connection->qlog) {
            bridge_compat_set_qlog(&settings, write_qlog, first_id);
        }
    }
    return settings;
}

static ngtcp2_transport_params parameters_of(const bridge_quic_settings *given) {
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_data = given->max_data;
    params.initial_max_stream_data_bidi_local = given->max_stream_data;
    params.initial_max_stream_data_bidi_remote = given->max_stream_data;
    params.initial_max_streams_bidi = given->max_bidi_streams;
    params.max_idle_timeout = given->idle_timeout;
    params.max_udp_payload_size = BRIDGE_QUIC_DATAGRAM_ROOM;
    params.active_connection_id_limit = given->active_connection_id_limit;
    params.max_ack_delay = given->max_ack_delay;
    params.grease_quic_bit = 0;
    return params;
}

static int new_client(bridge_quic_connection *connection, const bridge_quic_settings *given, const ngtcp2_path *path,
                      const ngtcp2_cid *scid, uint64_t now) {
    ngtcp2_cid dcid = {.datalen = 16};
    if (gnutls_rnd(GNUTLS_RND_RANDOM, dcid.data, dcid.datalen) != 0) {
        return NGTCP2_ERR_INTERNAL;
    }
    ngtcp2_callbacks callbacks = bridge_ngtcp2_callbacks();
    ngtcp2_settings settings = settings_of(connection, given, &dcid, now);
    ngtcp2_transport_params params = parameters_of(given);
    return ngtcp2_conn_client_new(&connection->conn, &dcid, scid, path, NGTCP2_PROTO_VER_V1, &callbacks, &settings,
                                  &params, bridge_memory_interface(connection->memory), connection);
}

static int new_server(bridge_quic_connection *connection, const bridge_quic_settings *given, const ngtcp2_path *path,
                      const ngtcp2_cid *scid, uint64_t now) {
    const bridge_quic_initial *initial = given->initial;
    ngtcp2_cid client_id = bridge_cid_of(&initial->scid);
    ngtcp2_cid original_dcid = bridge_cid_of(&initial->original_dcid);
    ngtcp2_callbacks callbacks = bridge_ngtcp2_callbacks();
    ngtcp2_settings settings = settings_of(connection, given, &original_dcid, now);
    ngtcp2_transport_params params = parameters_of(given);
    bridge_compat_set_original_dcid(&params, &original_dcid);
    connection->path_guard = bridge_path_guard_new(connection->memory, path, given->path_mtu_discovery);
    if (!connection->path_guard) {
        return NGTCP2_ERR_NOMEM;
    }
    if (initial->after_retry) {
        params.retry_scid = bridge_cid_of(&initial->dcid);
        params.retry_scid_present = 1;
    }
    if (!bridge_stateless_reset_token(connection, params.stateless_reset_token, scid)) {
        return NGTCP2_ERR_INTERNAL;
    }
    params.stateless_reset_token_present = 1;
    return ngtcp2_conn_server_new(&connection->conn, &client_id, scid, path, initial->version, &callbacks, &settings,
                                  &params, bridge_memory_interface(connection->memory), connection);
}

static int new_conn(bridge_quic_connection *connection, const bridge_quic_settings *settings, bridge_quic_path given,
                    uint64_t now) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_init(&path, given.local, given.local_length, given.remote, given.remote_length, NULL);
    ngtcp2_cid scid;
    if (settings->connection_id_prefix_length > settings->connection_id_length ||
        settings->connection_id_length > sizeof(connection->ids.prefix.bytes)) {
        return NGTCP2_ERR_INVALID_ARGUMENT;
    }
    connection->ids.prefix.length = settings->connection_id_prefix_length;
    if (settings->connection_id_prefix_length > 0) {
        memcpy(connection->ids.prefix.bytes, settings->connection_id_prefix, settings->connection_id_prefix_length);
    }
    if (!bridge_issue_connection_id(connection, &scid, settings->connection_id_length)) {
        return NGTCP2_ERR_INTERNAL;
    }
    int error = connection->is_server ? new_server(connection, settings, &path.path, &scid, now)
                                      : new_client(connection, settings, &path.path, &scid, now);
    connection->ids.first = bridge_id_of(&scid);
    return error;
}

bridge_quic_creation bridge_quic_connection_new(bridge_quic_connection **result, const bridge_quic_settings *settings,
                                                const bridge_quic_credentials *credentials,
                                                const bridge_quic_callbacks *callbacks, bridge_quic_path path,
                                                uint64_t now, int *error) {
    *result = NULL;
    bridge_memory *memory = bridge_memory_new();
    bridge_quic_connection *connection = memory ? bridge_memory_zeroed(memory, sizeof(*connection)) : NULL;
    if (!connection) {
        bridge_memory_free(memory);
        *error = NGTCP2_ERR_NOMEM;
        return BRIDGE_QUIC_NOT_CREATED;
    }
    connection->memory = memory;
    connection->reference.get_conn = conn_of_reference;
    connection->credentials = credentials;
    connection->callbacks = *callbacks;
    connection->is_server = settings->initial != NULL;
    connection->clock.now = now;
    connection->clock.last_read = now;
    connection->end.keeps_certificates = settings->keeps_peer_certificates;
    connection->pacing.datagram_capacity = settings->max_datagram_size;
    /* The peer's first connection ID is known from the handshake. */
    connection->frame_guard.seen = 1;
    ngtcp2_path_storage_zero(&connection->writing.path);
    ngtcp2_path_storage_zero(&connection->writing.told_path);
    if (settings->secret) {
        memcpy(connection->ids.secret, settings->secret, sizeof(connection->ids.secret));
        connection->ids.has_secret = true;
    }
    bool bad_name = false;
    *error = bridge_tls_session_new(connection, settings, &bad_name);
    if (*error == 0) {
        *error = new_conn(connection, settings, path, now);
    }
    if (*error != 0) {
        bridge_quic_connection_free(connection);
        return bad_name ? BRIDGE_QUIC_BAD_SERVER_NAME : BRIDGE_QUIC_NOT_CREATED;
    }
    ngtcp2_conn_set_tls_native_handle(connection->conn, connection->session);
    bridge_allow_early_data(connection, settings);
    *result = connection;
    return BRIDGE_QUIC_CREATED;
}

void bridge_quic_set_owner(bridge_quic_connection *connection, void *owner) {
    connection->owner = owner;
}

bridge_quic_cid bridge_quic_first_id(const bridge_quic_connection *connection) {
    return connection->ids.first;
}

void bridge_quic_connection_free(bridge_quic_connection *connection) {
    if (!connection) {
        return;
    }
    connection->owner = NULL;
    /* The connection goes first, because it may still use the session and the qlog. */
    ngtcp2_conn_del(connection->conn);
    if (connection->session) {
        gnutls_deinit(connection->session);
    }
    if (connection->qlog) {
        fclose(connection->qlog);
    }
    bridge_session_end_free(&connection->end);
    free(connection->verification.host_name);
    bridge_memory *memory = connection->memory;
    bridge_memory_release(memory, connection->path_guard);
    bridge_memory_release(memory, connection);
    bridge_memory_free(memory);
}
