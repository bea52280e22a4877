/// Tells ngtcp2 what has gone out, so that it can compute when more may follow.
///
/// ngtcp2 adds up what it writes until it is told that the datagrams have gone out, and then lets out nothing but
/// acknowledgements for as long as that many bytes should take (RFC 9002 7.7). It cannot simply be told after each
/// burst:
///
/// Version 0.12.1 would also pace a trickle, a datagram now and then with nothing waiting behind it, and would pace the
/// handshake by its initial RTT of a third of a second. So it is told that a trickle went out at the beginning of time,
/// which delays nothing. Many small datagrams in a row still count as a burst.
///
/// From 0.16 on, ngtcp2 aborts the process for a time in the past. It paces by bytes instead, so an occasional datagram
/// is paid for before the next one comes, and the handshake is hardly delayed.
///
/// Both report the end of the pause as their next deadline, even if nothing waits for it. An event loop need not wake
/// for that: the deadline is hidden until something may be waiting. If it has passed by then, ngtcp2 is told
/// afterwards.
#include "internal.h"

#if NGTCP2_VERSION_NUM < 0x010000
/* Datagrams that are further apart belong to different bursts. */
static const uint64_t burst_span = 5 * NGTCP2_MILLISECONDS;
#endif

static bool is_handshake_completed(const bridge_quic_connection *connection) {
    return ngtcp2_conn_get_handshake_completed(connection->conn) != 0;
}

/// The time at which ngtcp2 is told that the burst went out. False if it must not be told now, or at all.
static bool time_of_burst(bridge_quic_connection *connection, bool has_more, uint64_t *time) {
    *time = connection->clock.now;
#if NGTCP2_VERSION_NUM < 0x010000
    bool is_trickle = !has_more && connection->pacing.burst <= 2 * connection->pacing.datagram_capacity;
    if (is_trickle) {
        *time = 0;
        return connection->clock.now - connection->pacing.burst_began >= burst_span;
    }
    if (!is_handshake_completed(connection)) {
        connection->pacing.burst = 0;
        return false;
    }
#else
    (void)has_more;
#endif
    return true;
}

static void end_burst(bridge_quic_connection *connection, bool has_more) {
    uint64_t time;
    if (connection->pacing.burst == 0 || !time_of_burst(connection, has_more, &time)) {
        return;
    }
    uint64_t other = ngtcp2_conn_get_expiry(connection->conn);
    ngtcp2_conn_update_pkt_tx_time(connection->conn, time);
    connection->pacing.burst = 0;
    uint64_t pause = ngtcp2_conn_get_expiry(connection->conn);
    pause = pause > connection->clock.now ? pause : connection->clock.now;
    if (pause < other) {
        connection->pacing.pause_until = pause;
        connection->pacing.expiry_beside_pause = has_more ? 0 : other;
    }
}

void bridge_pacing_before_write(bridge_quic_connection *connection) {
    if (connection->pacing.burst >= ngtcp2_conn_get_send_quantum(connection->conn)) {
        end_burst(connection, true);
    }
}

void bridge_pacing_wrote(bridge_quic_connection *connection, size_t length) {
    if (connection->pacing.burst == 0) {
        connection->pacing.burst_began = connection->clock.now;
    }
    connection->pacing.burst += length;
}

void bridge_quic_burst_over(bridge_quic_connection *connection, bool has_more, uint64_t now) {
    if (has_more) {
        bridge_pacing_reveal(connection);
    }
    /* A pause that begins with this call holds nothing back yet. */
    bool was_paused = connection->pacing.pause_until > connection->clock.now;
    if (connection->pacing.burst > 0) {
        bridge_clock_advance(connection, now);
        end_burst(connection, has_more);
    }
    bridge_acknowledgements_settle(connection, was_paused);
}

/// Tells ngtcp2 that the pause ended at its deadline, because it would make up for lateness by shorter pauses. Nothing
/// else was due by then, so this cannot fail. During the handshake the compensation is welcome.
static void end_pause(bridge_quic_connection *connection) {
    if (connection->pacing.expiry_beside_pause != 0 && is_handshake_completed(connection)) {
        bridge_clock *clock = &connection->clock;
        uint64_t pause_end = connection->pacing.pause_until;
        clock->now = pause_end > clock->now ? pause_end : clock->now;
        (void)ngtcp2_conn_handle_expiry(connection->conn, clock->now);
    }
    connection->pacing.pause_until = 0;
    connection->pacing.expiry_beside_pause = 0;
}

void bridge_pacing_catch_up(bridge_quic_connection *connection, uint64_t now) {
    if (connection->pacing.pause_until != 0 && now >= connection->pacing.pause_until) {
        end_pause(connection);
    }
}

void bridge_pacing_reveal(bridge_quic_connection *connection) {
    connection->pacing.expiry_beside_pause = 0;
}

uint64_t bridge_pacing_expiry(const bridge_quic_connection *connection) {
    uint64_t expiry = connection->pacing.expiry_beside_pause;
    return expiry != 0 ? expiry : ngtcp2_conn_get_expiry(connection->conn);
}

uint64_t bridge_quic_pause_end(const bridge_quic_connection *connection) {
    uint64_t end = connection->pacing.pause_until;
    return end > connection->clock.ahead ? end - connection->clock.ahead : 0;
}
