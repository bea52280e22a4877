/// Decides when an acknowledgement is worth a datagram of its own.
///
/// ngtcp2 puts an ACK frame into a packet with data only if the acknowledgement is already due, and its delay is an
/// eighth of the RTT. In a conversation of small messages nearly every acknowledgement would then leave alone, with a
/// wake-up, a system call and a datagram of its own, while the next message is about to leave. So ngtcp2 is told to
/// acknowledge every packet at once (`ack_thresh`): whatever is sent carries the acknowledgement. And it is not asked
/// for a packet as long as an acknowledgement is all that it can have to send, until
/// - the announced `max_ack_delay` has nearly passed, with which the peer's probe timeout counts (RFC 9002 6.2.1), or
/// - two full datagrams have come (RFC 9000 13.2.2) and an eighth of the round trip has passed since the first of them,
///   which is at once on a short path, or
/// - ten full datagrams have come.
///
/// Acknowledging every second datagram of a bulk transfer is the largest part of what it costs: each acknowledgement
/// wakes both ends (RFC 9000 13.2.2 allows fewer). An eighth of the round trip neither slows the sender's growth
/// down nor makes its bursts longer in a way that matters.
///
/// ngtcp2 does not tell what it has to send. A received packet is harmless if it has nothing but data and an ACK without
/// gaps, and follows on the last one; everything else is passed on to ngtcp2 at once, and so is everything until ngtcp2
/// once had nothing more to send. An ACK with a new gap may have declared packets lost, a packet out of order has to be
/// acknowledged immediately (RFC 9000 13.2.1), and PING is how a peer probes.
#include "frame_reader.h"
#include "internal.h"

static const uint64_t reserve = 2 * NGTCP2_MILLISECONDS;
/* The payload of two full datagrams of the smallest size, as TCP counts it. */
static const uint64_t bytes_at_once = 2 * (NGTCP2_MAX_UDP_PAYLOAD_SIZE - 64);
static const uint64_t bytes_at_most = 10 * (NGTCP2_MAX_UDP_PAYLOAD_SIZE - 64);
/* An eighth of a shorter round trip is less than what a timer is good for. */
static const uint64_t shortest_wait = NGTCP2_MILLISECONDS;
/* Credit may wait for the next packet until it is this much, or an eighth of a stream's window if that is more. ngtcp2
   announces no less than half a window anyway. */
static const uint64_t least_credit = 4096;

/// How long an acknowledgement may wait. The rest of the peer's allowance is left for a timer or an event loop that is
/// late.
static uint64_t longest_wait(bridge_quic_connection *connection) {
    uint64_t allowance = ngtcp2_conn_get_local_transport_params(connection->conn)->max_ack_delay;
    return allowance >= 2 * reserve ? allowance - reserve : allowance / 2;
}

/// How long an acknowledgement may wait, given what has come since.
static uint64_t wait_of(bridge_quic_connection *connection) {
    const bridge_acknowledgements *acks = &connection->acknowledgements;
    uint64_t longest = longest_wait(connection);
    if (acks->bytes < bytes_at_once) {
        return longest;
    }
    uint64_t part = acks->bytes < bytes_at_most ? bridge_quic_stats_of(connection).smoothed_rtt / 8 : 0;
    if (part < shortest_wait) {
        return 0;
    }
    return part < longest ? part : longest;
}

static uint64_t credit_at_once(bridge_quic_connection *connection) {
    uint64_t part = ngtcp2_conn_get_local_transport_params(connection->conn)->initial_max_stream_data_bidi_remote / 8;
    return part > least_credit ? part : least_credit;
}

/// By how many packets a later one that is acknowledged makes an earlier one lost, at most. ngtcp2 takes half of the
/// full datagrams in flight, and no fewer than three (RFC 9002 6.1.1).
static uint64_t packet_threshold(bridge_quic_connection *connection) {
    uint64_t in_flight = bridge_quic_stats_of(connection).bytes_in_flight / 2 / NGTCP2_MAX_UDP_PAYLOAD_SIZE;
    return in_flight > 3 ? in_flight : 3;
}

/// Whether an ACK may lead to a loss that was not known before: until ACKs have reached far enough beyond the latest gap.
/// The peer need not repeat a gap. It leaves out what it knows to have told already (RFC 9000 13.2.4), so the first range
/// alone tells whether an ACK continues what was acknowledged before.
static bool may_reveal_loss(bridge_quic_connection *connection, frame_reader reader) {
    bridge_acknowledgements *acks = &connection->acknowledgements;
    uint64_t largest = read_integer(&reader);
    read_integer(&reader);
    uint64_t ranges = read_integer(&reader);
    uint64_t first_range = read_integer(&reader);
    uint64_t lowest = largest > first_range ? largest - first_range : 0;
    uint64_t next = acks->first_unacknowledged;
    acks->first_unacknowledged = largest + 1 > next ? largest + 1 : next;
    uint64_t threshold = packet_threshold(connection);
    bool is_new = lowest > next || (ranges > 0 && lowest > acks->above_gap);
    if (is_new || (acks->above_gap != 0 && lowest < acks->above_gap)) {
        acks->above_gap = lowest;
        acks->threshold = threshold;
    } else if (threshold > acks->threshold) {
        acks->threshold = threshold;
    }
    return is_new || (acks->above_gap != 0 && next <= acks->above_gap + acks->threshold + 1);
}

/// Whether a packet's frames give ngtcp2 nothing to send but an acknowledgement, and whether they demand one.
static bool is_harmless(bridge_quic_connection *connection, const uint8_t *bytes, size_t length,
                        bool *demands_answer) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end && !reader.is_malformed) {
        uint64_t type = read_integer(&reader);
        if (type == 0x02 || type == 0x03) {
            if (may_reveal_loss(connection, reader)) {
                return false;
            }
        } else if (type >= 0x08 && type <= 0x0f) {
            *demands_answer = true;
        } else if (type != 0x00) {
            return false;
        }
        skip_frame(&reader, type);
    }
    return !reader.is_malformed;
}

/// The last bytes of a packet's number, with which the header ends (RFC 9001 5.3). `mask` covers them.
static uint32_t number_of(const uint8_t *header, size_t length, uint32_t *mask) {
    size_t size = (size_t)(*header & 0x03) + 1;
    uint32_t number = 0;
    for (size_t i = length > size ? length - size : 0; i < length; i++) {
        number = number << 8 | header[i];
    }
    *mask = size == 4 ? UINT32_MAX : ((uint32_t)1 << 8 * size) - 1;
    return number;
}

/// Whether the packet has the number of the previous one: then it is a copy of it, which ngtcp2 drops.
static bool is_last(const bridge_acknowledgements *acks, const uint8_t *header, size_t length) {
    uint32_t mask;
    return number_of(header, length, &mask) == (acks->last_number & mask);
}

/// Whether the packet's number follows on the previous one's.
static bool follows(bridge_acknowledgements *acks, const uint8_t *header, size_t length) {
    uint32_t mask;
    uint32_t number = number_of(header, length, &mask);
    uint32_t next = acks->last_number + 1;
    bool follows = (next & mask) == number;
    acks->last_number = follows ? next : (acks->last_number & ~mask) | number;
    return follows;
}

void bridge_acknowledgements_read(bridge_quic_connection *connection, const uint8_t *header, size_t header_length,
                                  const uint8_t *bytes, size_t length) {
    bridge_acknowledgements *acks = &connection->acknowledgements;
    bool is_short = header_length > 0 && (*header & 0x80) == 0;
    bool demands_answer = false;
    bool has_length_of_last = length == acks->last_length;
    acks->last_length = length;
    if (is_short && has_length_of_last && is_last(acks, header, header_length)) {
        return;
    }
    if (!is_short || !follows(acks, header, header_length) || !is_harmless(connection, bytes, length, &demands_answer)) {
        acks->has_more = true;
    }
    if (demands_answer && acks->since == 0) {
        acks->since = connection->clock.now;
    }
    acks->bytes += demands_answer ? length : 0;
}

void bridge_acknowledgements_wrote(bridge_quic_connection *connection) {
    connection->acknowledgements.since = 0;
    connection->acknowledgements.bytes = 0;
}

void bridge_acknowledgements_settle(bridge_quic_connection *connection, bool was_paused) {
    bridge_acknowledgements *acks = &connection->acknowledgements;
    acks->credit = 0;
    /* ngtcp2 holds no acknowledgement back. What is left is for packets that it did not need, such as repeated ones. */
    bridge_acknowledgements_wrote(connection);
    /* What a full congestion window or pacing holds back is not known either. */
    acks->has_more = was_paused || !connection->is_settled || ngtcp2_conn_get_cwnd_left(connection->conn) == 0;
}

void bridge_acknowledgements_credit(bridge_quic_connection *connection, uint64_t length) {
    connection->acknowledgements.credit += length;
}

bool bridge_quic_has_to_send(bridge_quic_connection *connection) {
    const bridge_acknowledgements *acks = &connection->acknowledgements;
    return acks->has_more || (acks->credit > 0 && acks->credit >= credit_at_once(connection)) ||
           (acks->since != 0 && connection->clock.now >= acks->since + wait_of(connection));
}

uint64_t bridge_acknowledgements_expiry(bridge_quic_connection *connection, uint64_t expiry) {
    bridge_acknowledgements *acks = &connection->acknowledgements;
    if (acks->since == 0 || acks->has_more) {
        acks->other_expiry = expiry;
        return expiry;
    }
    uint64_t limit = acks->since + wait_of(connection);
    return acks->other_expiry < limit ? acks->other_expiry : limit;
}

bool bridge_quic_is_due(bridge_quic_connection *connection, uint64_t now) {
    const bridge_acknowledgements *acks = &connection->acknowledgements;
    uint64_t own = now + connection->clock.ahead;
    if (acks->since != 0 && own >= acks->since + wait_of(connection) / 2) {
        return true;
    }
    uint64_t expiry = bridge_quic_expiry(connection);
    return expiry <= now;
}
