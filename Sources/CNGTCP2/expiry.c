/// Deadlines of a connection, and how its time runs ahead of the caller's.
#include "internal.h"

/* How far a connection without an idle timeout may run ahead of its peer's last packet. */
static const uint64_t longest_run_ahead = 600 * NGTCP2_SECONDS;

/// ngtcp2's idle timeout comes too early by as much as its time ran ahead since the peer's last packet. Reporting it
/// does not change ngtcp2's state, so the connection continues if the peer sends something.
static bool is_idle_too_early(bridge_quic_connection *connection) {
    bridge_clock *clock = &connection->clock;
    if (clock->idle_until == 0) {
        clock->idle_until = clock->now + clock->ahead - clock->ahead_at_read;
    }
    return clock->now < clock->idle_until;
}

bridge_quic_status bridge_quic_handle_expiry(bridge_quic_connection *connection, uint64_t now) {
    /* A nanosecond late, because some timers of ngtcp2 0.12.1 expire only after their time: it would report the same
       deadline again and again. */
    now = bridge_clock_advance(connection, now + 1);
    bridge_pacing_reveal(connection);
    int error = ngtcp2_conn_handle_expiry(connection->conn, now);
    bridge_session_end_if_due(connection);
    if (error == NGTCP2_ERR_IDLE_CLOSE && is_idle_too_early(connection)) {
        return BRIDGE_QUIC_OK;
    }
    return bridge_status_of(connection, error);
}

uint64_t bridge_quic_expiry(bridge_quic_connection *connection) {
    const bridge_clock *clock = &connection->clock;
    uint64_t expiry = clock->idle_until;
    if (expiry == 0) {
        expiry = bridge_acknowledgements_expiry(connection, bridge_pacing_expiry(connection));
    }
    uint64_t session_end = bridge_session_end_due(connection);
    expiry = session_end < expiry ? session_end : expiry;
    if (expiry == UINT64_MAX) {
        return expiry;
    }
    return expiry > clock->ahead ? expiry - clock->ahead : 0;
}

bool bridge_quic_is_window_full(bridge_quic_connection *connection) {
    return ngtcp2_conn_get_cwnd_left(connection->conn) == 0;
}

void bridge_quic_ping(bridge_quic_connection *connection, uint64_t now) {
    /* A keep-alive timeout of 1 ns is due a nanosecond after the last packet. */
    connection->clock.ahead += 2;
    bridge_clock_advance(connection, now);
    connection->writing.pings = true;
    bridge_pacing_reveal(connection);
    ngtcp2_conn_set_keep_alive_timeout(connection->conn, 1);
}

/// The latest time that is certainly not past the idle timeout.
static uint64_t idle_limit(bridge_quic_connection *connection) {
    uint64_t timeout = bridge_quic_idle_timeout(connection);
    return connection->clock.last_read + (timeout == 0 ? longest_run_ahead : timeout);
}

bool bridge_quic_run_ahead(bridge_quic_connection *connection, uint64_t reserve, uint64_t now,
                           bridge_quic_status *status) {
    uint64_t own = bridge_clock_advance(connection, now);
    uint64_t next = ngtcp2_conn_get_expiry(connection->conn);
    uint64_t limit = idle_limit(connection);
    if (limit < reserve || next >= limit - reserve) {
        return false;
    }
    connection->clock.ahead += next > own ? next - own : 0;
    *status = bridge_quic_handle_expiry(connection, now);
    return true;
}
