/// Datagrams of a connection: reading and writing.
#include "internal.h"

bridge_quic_status bridge_status_of(bridge_quic_connection *connection, int error) {
    switch (error) {
    case 0: return BRIDGE_QUIC_OK;
    case NGTCP2_ERR_WRITE_MORE: return BRIDGE_QUIC_WRITE_MORE;
    case NGTCP2_ERR_STREAM_DATA_BLOCKED: return BRIDGE_QUIC_STREAM_BLOCKED;
    case NGTCP2_ERR_STREAM_SHUT_WR: return BRIDGE_QUIC_STREAM_SHUT;
    case NGTCP2_ERR_STREAM_NOT_FOUND: return BRIDGE_QUIC_STREAM_UNKNOWN;
    case NGTCP2_ERR_STREAM_ID_BLOCKED: return BRIDGE_QUIC_STREAM_LIMIT;
    case NGTCP2_ERR_INVALID_STATE:
    case NGTCP2_ERR_CONN_ID_BLOCKED: return BRIDGE_QUIC_NOT_NOW;
    default: break;
    }
    connection->last_error = error;
    switch (error) {
    case NGTCP2_ERR_CLOSING: return BRIDGE_QUIC_CLOSING;
    case NGTCP2_ERR_DRAINING: return BRIDGE_QUIC_DRAINING;
    /* A server for which ngtcp2 demands a Retry after all drops the connection: the client tries again. */
    case NGTCP2_ERR_RETRY:
    case NGTCP2_ERR_DROP_CONN: return BRIDGE_QUIC_DROP;
    case NGTCP2_ERR_IDLE_CLOSE: return BRIDGE_QUIC_IDLE;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: return BRIDGE_QUIC_HANDSHAKE_TIMEOUT;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION: return BRIDGE_QUIC_VERSION_MISMATCH;
    case NGTCP2_ERR_CRYPTO: return BRIDGE_QUIC_TLS_FAILED;
    default: return BRIDGE_QUIC_FAILED;
    }
}

bridge_quic_status bridge_quic_read(bridge_quic_connection *connection, bridge_quic_path given, uint8_t ecn,
                                    const uint8_t *bytes, size_t length, uint64_t now) {
    connection->watch.has_read_packet = false;
    if (length == 0 || bridge_reset_guard_stops(&connection->reset_guard, bytes, length)) {
        return BRIDGE_QUIC_OK;
    }
    ngtcp2_path_storage path;
    ngtcp2_path_storage_init(&path, given.local, given.local_length, given.remote, given.remote_length, NULL);
    ngtcp2_pkt_info info = {.ecn = ecn};
    now = bridge_clock_advance(connection, now);
    if (connection->path_guard && bridge_path_guard_stops(connection->path_guard, connection->conn, &path.path, bytes,
                                                          length, connection->ids.first.length, now)) {
        return BRIDGE_QUIC_OK;
    }
    bridge_pacing_reveal(connection);
    /* A packet from elsewhere may make ngtcp2 validate the path, and it has no deadline for that. */
    if (!ngtcp2_path_eq(&path.path, ngtcp2_conn_get_path(connection->conn))) {
        connection->acknowledgements.has_more = true;
    }
    bridge_packet_watch_enter(connection);
    int error = ngtcp2_conn_read_pkt(connection->conn, &path.path, &info, bytes, length, now);
    bridge_packet_watch_enter(NULL);
    bridge_session_end_if_due(connection);
    if (connection->watch.has_read_packet) {
        connection->clock.last_read = now;
        connection->clock.ahead_at_read = connection->clock.ahead;
        connection->clock.idle_until = 0;
    }
    if (error == NGTCP2_ERR_CALLBACK_FAILURE && connection->verification.status != 0) {
        error = NGTCP2_ERR_CRYPTO;
    }
    bridge_quic_status status = bridge_status_of(connection, error);
    /* When reading fails like this, trying again would not help. */
    if (status == BRIDGE_QUIC_NOT_NOW) {
        connection->last_error = error;
        return BRIDGE_QUIC_FAILED;
    }
    return status;
}

bool bridge_quic_has_read_packet(const bridge_quic_connection *connection) {
    return connection->watch.has_read_packet;
}

uint8_t *bridge_quic_scratch(void) {
    static _Thread_local uint8_t scratch[BRIDGE_QUIC_SCRATCH_CAPACITY];
    return scratch;
}

static bool path_changed(bridge_quic_connection *connection) {
    const ngtcp2_path *written = &connection->writing.path.path;
    if (ngtcp2_path_eq(written, &connection->writing.told_path.path)) {
        return false;
    }
    ngtcp2_path_copy(&connection->writing.told_path.path, written);
    return true;
}

/// How many bytes of streams in the datagram that is finished by a call have been sent before: those that no call of
/// its sequence has handed over. `length` and `accepted` are the results of the call.
static uint64_t count_resent(bridge_quic_connection *connection, ngtcp2_ssize length, ngtcp2_ssize accepted) {
    connection->writing.fresh_bytes += accepted > 0 ? (uint64_t)accepted : 0;
    if (length < 0) {
        return 0;
    }
    uint64_t fresh = connection->writing.fresh_bytes;
    uint64_t all = connection->watch.stream_bytes;
    connection->writing.fresh_bytes = 0;
    return length > 0 && all > fresh ? all - fresh : 0;
}

bridge_quic_written bridge_quic_write(bridge_quic_connection *connection, uint8_t *buffer, size_t capacity,
                                      int64_t stream, bool fin, bool more, const bridge_quic_slice *slices,
                                      size_t count, uint64_t now) {
    ngtcp2_vec vectors[BRIDGE_QUIC_MAX_SLICES];
    if (count > BRIDGE_QUIC_MAX_SLICES) {
        count = BRIDGE_QUIC_MAX_SLICES;
        fin = false;
    }
    for (size_t i = 0; i < count; i++) {
        vectors[i] = (ngtcp2_vec){.base = (uint8_t *)slices[i].base, .len = slices[i].length};
    }
    uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    if (stream >= 0) {
        flags |= more ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0;
        flags |= fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0;
    }
    ngtcp2_ssize accepted = -1;
    uint64_t time = bridge_clock_advance(connection, now);
    if (!connection->writing.is_packet_open) {
        bridge_pacing_before_write(connection);
    }
    connection->watch.has_written_eliciting = false;
    connection->watch.has_written_challenge = false;
    connection->watch.stream_bytes = 0;
    bridge_packet_watch_enter(connection);
    ngtcp2_ssize length =
        ngtcp2_conn_writev_stream(connection->conn, &connection->writing.path.path, &connection->writing.info, buffer,
                                  capacity, &accepted, flags, stream, vectors, count, time);
    bridge_packet_watch_enter(NULL);
    uint64_t resent_bytes = count_resent(connection, length, accepted);
    /* A stream that has no part in a packet leaves it as it is. */
    if (length >= 0 || length == NGTCP2_ERR_WRITE_MORE) {
        connection->writing.is_packet_open = length < 0;
    }
    if (length != 0) {
        bridge_pacing_reveal(connection);
    }
    if (length > 0) {
        bridge_pacing_wrote(connection, (size_t)length);
    }
    if (connection->writing.pings && length != NGTCP2_ERR_WRITE_MORE) {
        connection->writing.pings = false;
        ngtcp2_conn_set_keep_alive_timeout(connection->conn, connection->writing.keep_alive);
    }
    if (connection->path_guard && connection->watch.has_written_challenge && length > 0) {
        bridge_path_guard_challenged(connection->path_guard, connection->conn, (size_t)length, connection->clock.now);
    }
    bool is_probe =
        length > 0 && (size_t)length > ngtcp2_conn_get_path_max_tx_udp_payload_size(connection->conn);
    connection->is_settled |= length >= 0 && ngtcp2_conn_get_handshake_completed(connection->conn);
    return (bridge_quic_written){
        .status = length < 0 ? bridge_status_of(connection, (int)length) : BRIDGE_QUIC_OK,
        .length = length < 0 ? 0 : (size_t)length,
        .accepted = accepted,
        .ecn = connection->writing.info.ecn,
        .path_changed = length > 0 && path_changed(connection),
        .stream_bytes = length > 0 ? connection->watch.stream_bytes : 0,
        .resent_bytes = resent_bytes,
        .awaits_answer = length > 0 && connection->watch.has_written_eliciting && !is_probe,
        .is_probe = is_probe,
    };
}

bridge_quic_path bridge_quic_written_path(const bridge_quic_connection *connection) {
    const ngtcp2_path *path = &connection->writing.told_path.path;
    return (bridge_quic_path){
        .local = path->local.addr,
        .remote = path->remote.addr,
        .local_length = path->local.addrlen,
        .remote_length = path->remote.addrlen,
    };
}

bridge_quic_path bridge_quic_path_in_use(const bridge_quic_connection *connection) {
    const ngtcp2_path *path = ngtcp2_conn_get_path(connection->conn);
    return (bridge_quic_path){
        .local = path->local.addr,
        .remote = path->remote.addr,
        .local_length = path->local.addrlen,
        .remote_length = path->remote.addrlen,
    };
}

void bridge_quic_set_keep_alive(bridge_quic_connection *connection, uint64_t interval) {
    connection->writing.keep_alive = interval;
    bridge_pacing_reveal(connection);
    ngtcp2_conn_set_keep_alive_timeout(connection->conn, interval);
}

bridge_quic_status bridge_quic_update_key(bridge_quic_connection *connection, uint64_t now) {
    now = bridge_clock_advance(connection, now);
    bridge_pacing_reveal(connection);
    int error = ngtcp2_conn_initiate_key_update(connection->conn, now);
    return bridge_status_of(connection, error);
}

bridge_quic_status bridge_quic_migrate(bridge_quic_connection *connection, bridge_quic_path given, uint64_t now) {
    ngtcp2_path_storage path;
    ngtcp2_path_storage_init(&path, given.local, given.local_length, given.remote, given.remote_length, NULL);
    now = bridge_clock_advance(connection, now);
    bridge_pacing_reveal(connection);
    int error = ngtcp2_conn_initiate_migration(connection->conn, &path.path, now);
    /* The address is the current one. */
    if (error == NGTCP2_ERR_INVALID_ARGUMENT) {
        return BRIDGE_QUIC_NOT_NOW;
    }
    return bridge_status_of(connection, error);
}

static ngtcp2_ccerr close_error(const bridge_quic_connection *connection, bridge_quic_close_kind kind, uint64_t code,
                                const uint8_t *reason, size_t reason_length) {
    ngtcp2_ccerr error;
    ngtcp2_ccerr_default(&error);
    switch (kind) {
    case BRIDGE_QUIC_CLOSE_TRANSPORT:
        ngtcp2_ccerr_set_transport_error(&error, code, reason, reason_length);
        break;
    case BRIDGE_QUIC_CLOSE_APPLICATION:
        ngtcp2_ccerr_set_application_error(&error, code, reason, reason_length);
        break;
    case BRIDGE_QUIC_CLOSE_LAST_ERROR:
        ngtcp2_ccerr_set_liberr(&error, connection->last_error, reason, reason_length);
        break;
    case BRIDGE_QUIC_CLOSE_TLS_ALERT:
        ngtcp2_ccerr_set_tls_alert(&error, (uint8_t)code, reason, reason_length);
        break;
    }
    return error;
}

bridge_quic_written bridge_quic_write_close(bridge_quic_connection *connection, bridge_quic_close_kind kind,
                                            uint64_t code, const uint8_t *reason, size_t reason_length,
                                            uint8_t *buffer, size_t capacity, uint64_t now) {
    ngtcp2_ccerr error = close_error(connection, kind, code, reason, reason_length);
    ngtcp2_ssize length = ngtcp2_conn_write_connection_close(
        connection->conn, &connection->writing.path.path, &connection->writing.info, buffer, capacity, &error,
        bridge_clock_advance(connection, now));
    return (bridge_quic_written){
        .status = length > 0 ? BRIDGE_QUIC_OK : BRIDGE_QUIC_NOT_NOW,
        .length = length > 0 ? (size_t)length : 0,
        .accepted = -1,
        .ecn = connection->writing.info.ecn,
        .path_changed = length > 0 && path_changed(connection),
    };
}
