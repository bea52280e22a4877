/// ngtcp2's callbacks. Each of them tells the owner and returns, and none makes ngtcp2 read or write.
#include "callbacks.h"
#include "connection_ids.h"
#include "resumption.h"
#include "session_end.h"
#include "verification.h"

#include <string.h>

/* Calls one of the owner's callbacks, if there is an owner yet. */
#define TELL_OWNER(connection, callback, ...)                                        \
    do {                                                                             \
        if ((connection)->owner) {                                                   \
            (connection)->callbacks.callback((connection)->owner, ##__VA_ARGS__);    \
        }                                                                            \
    } while (0)

static bridge_quic_connection *of(void *user_data) {
    return user_data;
}

static int handshake_completed(ngtcp2_conn *conn, void *user_data) {
    (void)conn;
    bridge_quic_connection *connection = of(user_data);
    bridge_check_early_data(connection);
    if (!bridge_is_resumed_client_welcome(connection)) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    TELL_OWNER(connection, handshake_completed);
    bridge_send_ticket(connection);
    /* RFC 9001 4.1.2: a server's handshake is confirmed when it is complete. */
    if (connection->is_server) {
        bridge_session_confirmed(connection);
    }
    return 0;
}

static int handshake_confirmed(ngtcp2_conn *conn, void *user_data) {
    (void)conn;
    bridge_quic_connection *connection = of(user_data);
    bridge_session_confirmed(connection);
    TELL_OWNER(connection, handshake_confirmed);
    return 0;
}

static int stream_open(ngtcp2_conn *conn, int64_t stream, void *user_data) {
    (void)conn;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, stream_opened, stream);
    return 0;
}

static int recv_stream_data(ngtcp2_conn *conn, uint32_t flags, int64_t stream, uint64_t offset, const uint8_t *bytes,
                            size_t length, void *user_data, void *stream_user_data) {
    (void)conn;
    (void)offset;
    (void)stream_user_data;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, stream_data, stream, bytes, length, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0);
    return 0;
}

static int acked_stream_data_offset(ngtcp2_conn *conn, int64_t stream, uint64_t offset, uint64_t length,
                                    void *user_data, void *stream_user_data) {
    (void)conn;
    (void)offset;
    (void)stream_user_data;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, stream_acknowledged, stream, length);
    return 0;
}

static int extend_max_stream_data(ngtcp2_conn *conn, int64_t stream, uint64_t max_data, void *user_data,
                                  void *stream_user_data) {
    (void)conn;
    (void)max_data;
    (void)stream_user_data;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, stream_credit, stream);
    return 0;
}

static int stream_reset(ngtcp2_conn *conn, int64_t stream, uint64_t final_size, uint64_t code, void *user_data,
                        void *stream_user_data) {
    (void)conn;
    (void)final_size;
    (void)stream_user_data;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, stream_reset, stream, code);
    return 0;
}

static int stream_close(ngtcp2_conn *conn, uint32_t flags, int64_t stream, uint64_t code, void *user_data,
                        void *stream_user_data) {
    (void)flags;
    (void)code;
    (void)stream_user_data;
    bridge_quic_connection *connection = of(user_data);
    if (!ngtcp2_conn_is_local_stream(conn, stream) && ngtcp2_is_bidi_stream(stream)) {
        ngtcp2_conn_extend_max_streams_bidi(conn, 1);
        connection->acknowledgements.has_more = true;
    }
    TELL_OWNER(connection, stream_closed, stream, ngtcp2_conn_get_stream_loss_count(conn, stream));
    return 0;
}

static int extend_max_local_streams_bidi(ngtcp2_conn *conn, uint64_t max_streams, void *user_data) {
    (void)conn;
    (void)max_streams;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, streams_available);
    return 0;
}

static int get_new_connection_id(ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t length, void *user_data) {
    (void)conn;
    bridge_quic_connection *connection = of(user_data);
    if (!bridge_issue_connection_id(connection, cid, length) ||
        !bridge_stateless_reset_token(connection, token, cid)) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    TELL_OWNER(connection, connection_id_issued, cid->data, cid->datalen);
    return 0;
}

static int remove_connection_id(ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user_data) {
    (void)conn;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, connection_id_retired, cid->data, cid->datalen);
    return 0;
}

static int dcid_status(ngtcp2_conn *conn, BRIDGE_COMPAT_CID_STATUS type, uint64_t sequence, const ngtcp2_cid *cid,
                       const uint8_t *token, void *user_data) {
    (void)conn;
    (void)cid;
    bridge_quic_connection *connection = of(user_data);
    if (!token) {
        return 0;
    }
    bool is_valid = type == NGTCP2_CONNECTION_ID_STATUS_TYPE_ACTIVATE;
    if (is_valid) {
        bridge_reset_guard_add(&connection->reset_guard, sequence, token);
    } else {
        bridge_reset_guard_remove(&connection->reset_guard, sequence);
    }
    TELL_OWNER(connection, reset_token, token, is_valid);
    return 0;
}

static void tell_path_validated(bridge_quic_connection *connection, const ngtcp2_path *path,
                                ngtcp2_path_validation_result result) {
    if (connection->path_guard) {
        bridge_path_guard_validated(connection->path_guard, connection->conn, result, connection->clock.now);
    }
    /* A server's validation is aborted when another replaces it, which is not worth reporting. A client has one at a
       time, and it is aborted if the peer withdraws the connection ID. */
    if (!connection->owner || (connection->is_server && result == NGTCP2_PATH_VALIDATION_RESULT_ABORTED)) {
        return;
    }
    connection->callbacks.path_validated(connection->owner, path->local.addr, path->remote.addr,
                                         result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS);
}

#if NGTCP2_VERSION_NUM >= 0x010000
static int path_validation(ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path, const ngtcp2_path *old_path,
                           ngtcp2_path_validation_result result, void *user_data) {
    (void)conn;
    (void)flags;
    (void)old_path;
    tell_path_validated(of(user_data), path, result);
    return 0;
}
#else
static int path_validation(ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path,
                           ngtcp2_path_validation_result result, void *user_data) {
    (void)conn;
    (void)flags;
    tell_path_validated(of(user_data), path, result);
    return 0;
}
#endif

static int recv_stateless_reset(ngtcp2_conn *conn, const ngtcp2_pkt_stateless_reset *reset, void *user_data) {
    (void)conn;
    (void)reset;
    of(user_data)->received_stateless_reset = true;
    return 0;
}

static int recv_version_negotiation(ngtcp2_conn *conn, const ngtcp2_pkt_hd *header, const uint32_t *versions,
                                    size_t count, void *user_data) {
    (void)conn;
    (void)header;
    bridge_quic_connection *connection = of(user_data);
    TELL_OWNER(connection, version_negotiation, versions, count);
    return 0;
}

static void fill_random(uint8_t *bytes, size_t length, const ngtcp2_rand_ctx *context) {
    (void)context;
    /* These bytes need not be secret: ngtcp2 gets secrets from other callbacks. */
    if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, length) != 0) {
        memset(bytes, 0, length);
    }
}

ngtcp2_callbacks bridge_ngtcp2_callbacks(void) {
    return (ngtcp2_callbacks){
        .client_initial = ngtcp2_crypto_client_initial_cb,
        .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
        .recv_crypto_data = bridge_recv_crypto_data,
        .handshake_completed = handshake_completed,
        .recv_version_negotiation = recv_version_negotiation,
        .encrypt = bridge_packet_watch_encrypt,
        .decrypt = bridge_packet_watch_decrypt,
        .hp_mask = ngtcp2_crypto_hp_mask_cb,
        .recv_stream_data = recv_stream_data,
        .acked_stream_data_offset = acked_stream_data_offset,
        .stream_open = stream_open,
        .stream_close = stream_close,
        .recv_stateless_reset = recv_stateless_reset,
        .recv_retry = ngtcp2_crypto_recv_retry_cb,
        .extend_max_local_streams_bidi = extend_max_local_streams_bidi,
        .rand = fill_random,
        .get_new_connection_id = get_new_connection_id,
        .remove_connection_id = remove_connection_id,
        .update_key = ngtcp2_crypto_update_key_cb,
        .path_validation = path_validation,
        .stream_reset = stream_reset,
        .extend_max_stream_data = extend_max_stream_data,
        .dcid_status = dcid_status,
        .handshake_confirmed = handshake_confirmed,
        .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
        .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
        .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
        .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
    };
}
