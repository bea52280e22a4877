/// Streams of a connection: opening and resetting them, and their flow-control credit.
#include "internal.h"

bridge_quic_status bridge_quic_open_stream(bridge_quic_connection *connection, int64_t *stream) {
    int error = ngtcp2_conn_open_bidi_stream(connection->conn, stream, NULL);
    return bridge_status_of(connection, error);
}

uint64_t bridge_quic_streams_left(bridge_quic_connection *connection) {
    return ngtcp2_conn_get_streams_bidi_left(connection->conn);
}

void bridge_quic_consume(bridge_quic_connection *connection, int64_t stream, uint64_t length) {
    bridge_pacing_reveal(connection);
    /* The connection's credit is granted even if the stream is gone. */
    (void)ngtcp2_conn_extend_max_stream_offset(connection->conn, stream, length);
    ngtcp2_conn_extend_max_offset(connection->conn, length);
    bridge_acknowledgements_credit(connection, length);
}

bridge_quic_status bridge_quic_reset_stream(bridge_quic_connection *connection, int64_t stream, uint64_t code) {
    bridge_pacing_reveal(connection);
    int error = bridge_compat_shutdown_stream(connection->conn, stream, code);
    return bridge_status_of(connection, error);
}

bool bridge_quic_is_out_of_credit(bridge_quic_connection *connection) {
    return ngtcp2_conn_get_max_data_left(connection->conn) == 0;
}

uint64_t bridge_quic_stream_losses(bridge_quic_connection *connection, int64_t stream) {
    return ngtcp2_conn_get_stream_loss_count(connection->conn, stream);
}
