/// What is known about a connection: its errors, timeouts and statistics.
#include "internal.h"

const char *bridge_quic_library_version(void) {
    return ngtcp2_version(0)->version_str;
}

bridge_quic_remote_close bridge_quic_remote_close_of(bridge_quic_connection *connection) {
    ngtcp2_ccerr error = bridge_compat_get_ccerr(connection->conn);
    return (bridge_quic_remote_close){
        .is_application = error.type == NGTCP2_CCERR_TYPE_APPLICATION,
        .is_stateless_reset = connection->received_stateless_reset,
        .code = error.error_code,
        .reason = error.reason,
        .reason_length = error.reasonlen,
    };
}

int bridge_quic_last_error(const bridge_quic_connection *connection) {
    return connection->last_error;
}

uint64_t bridge_quic_last_error_code(const bridge_quic_connection *connection) {
    return ngtcp2_err_infer_quic_transport_error_code(connection->last_error);
}

const char *bridge_quic_error_text(int error) {
    return ngtcp2_strerror(error);
}

uint64_t bridge_quic_idle_timeout(bridge_quic_connection *connection) {
    const ngtcp2_transport_params *theirs = ngtcp2_conn_get_remote_transport_params(connection->conn);
    uint64_t own = ngtcp2_conn_get_local_transport_params(connection->conn)->max_idle_timeout;
    uint64_t other = theirs ? theirs->max_idle_timeout : 0;
    return own == 0 || (other != 0 && other < own) ? other : own;
}

uint64_t bridge_quic_pto(bridge_quic_connection *connection) {
    return ngtcp2_conn_get_pto(connection->conn);
}

size_t bridge_quic_objects_from_malloc(const bridge_quic_connection *connection) {
    return bridge_memory_objects_from_malloc(connection->memory);
}

bridge_quic_stats bridge_quic_stats_of(bridge_quic_connection *connection) {
#if NGTCP2_VERSION_NUM >= 0x010000
    ngtcp2_conn_info info;
    ngtcp2_conn_get_conn_info(connection->conn, &info);
#else
    ngtcp2_conn_stat info;
    ngtcp2_conn_get_conn_stat(connection->conn, &info);
#endif
    return (bridge_quic_stats){
        .smoothed_rtt = info.smoothed_rtt,
        .min_rtt = info.min_rtt == UINT64_MAX ? 0 : info.min_rtt,
        .latest_rtt = info.latest_rtt,
        .congestion_window = info.cwnd,
        .bytes_in_flight = info.bytes_in_flight,
        .datagram_size = ngtcp2_conn_get_path_max_tx_udp_payload_size(connection->conn),
    };
}

bool bridge_quic_peer_parameters(bridge_quic_connection *connection, bridge_quic_parameters *parameters) {
    const ngtcp2_transport_params *theirs = ngtcp2_conn_get_remote_transport_params(connection->conn);
    if (!theirs) {
        return false;
    }
    *parameters = (bridge_quic_parameters){
        .max_idle_timeout = theirs->max_idle_timeout,
        .max_udp_payload_size = theirs->max_udp_payload_size,
        .max_data = theirs->initial_max_data,
        .max_stream_data_bidi_local = theirs->initial_max_stream_data_bidi_local,
        .max_stream_data_bidi_remote = theirs->initial_max_stream_data_bidi_remote,
        .max_stream_data_uni = theirs->initial_max_stream_data_uni,
        .max_streams_bidi = theirs->initial_max_streams_bidi,
        .max_streams_uni = theirs->initial_max_streams_uni,
        .ack_delay_exponent = theirs->ack_delay_exponent,
        .max_ack_delay = theirs->max_ack_delay,
        .active_connection_id_limit = theirs->active_connection_id_limit,
        .max_datagram_frame_size = theirs->max_datagram_frame_size,
        .disables_active_migration = theirs->disable_active_migration != 0,
        .has_preferred_address = bridge_compat_has_preferred_address(theirs),
        .greases_quic_bit = theirs->grease_quic_bit != 0,
    };
    return true;
}
