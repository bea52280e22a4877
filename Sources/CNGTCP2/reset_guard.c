/// Hides stateless resets from ngtcp2 whose token belongs to a connection ID of the peer's that this side has retired.
///
/// The peer forgets such an ID, so it answers a late or duplicated datagram under it like one of a connection that it
/// does not know: with a stateless reset. The connection itself is well, and RFC 9000 10.3.1 forbids checking the tokens
/// of retired IDs. ngtcp2, both 0.12.1 and 1.11, goes on checking them for a probe timeout, and would end the connection.
///
/// ngtcp2 does not report that it retires an ID, so that is read from the frames that it sends. It does report when it
/// starts to check a token, and when it stops.
#include "internal.h"

#include <string.h>

/// Where the ID is, or the place that it gets: a free one, or that of the oldest ID, which was retired long ago.
static size_t place_of(const bridge_reset_guard *guard, uint64_t sequence) {
    size_t oldest = 0;
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->tokens[i].sequence == sequence) {
            return i;
        }
        if (guard->tokens[i].sequence < guard->tokens[oldest].sequence) {
            oldest = i;
        }
    }
    return guard->count < BRIDGE_RESET_TOKENS ? guard->count : oldest;
}

void bridge_reset_guard_add(bridge_reset_guard *guard, uint64_t sequence, const uint8_t *token) {
    size_t place = place_of(guard, sequence);
    if (place == guard->count) {
        guard->count++;
    } else if (guard->tokens[place].is_retired) {
        guard->retired--;
    }
    guard->tokens[place].sequence = sequence;
    guard->tokens[place].is_retired = false;
    memcpy(guard->tokens[place].bytes, token, sizeof(guard->tokens[place].bytes));
}

void bridge_reset_guard_retire(bridge_reset_guard *guard, uint64_t sequence) {
    for (size_t i = 0; i < guard->count; i++) {
        /* The frame may be sent again. */
        if (guard->tokens[i].sequence == sequence && !guard->tokens[i].is_retired) {
            guard->tokens[i].is_retired = true;
            guard->retired++;
        }
    }
}

void bridge_reset_guard_remove(bridge_reset_guard *guard, uint64_t sequence) {
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->tokens[i].sequence == sequence) {
            guard->retired -= guard->tokens[i].is_retired ? 1 : 0;
            guard->tokens[i] = guard->tokens[--guard->count];
            return;
        }
    }
}

bool bridge_reset_guard_stops(const bridge_reset_guard *guard, const uint8_t *bytes, size_t length) {
    /* ngtcp2 takes datagrams with a long header for resets, too (RFC 9000 10.3). */
    if (guard->retired == 0 || length < NGTCP2_MIN_STATELESS_RESET_RANDLEN + NGTCP2_STATELESS_RESET_TOKENLEN) {
        return false;
    }
    const uint8_t *end = bytes + length - NGTCP2_STATELESS_RESET_TOKENLEN;
    bool is_retired = false;
    bool is_present = false;
    for (size_t i = 0; i < guard->count; i++) {
        /* Takes the same time wherever the tokens differ. */
        if (gnutls_memcmp(end, guard->tokens[i].bytes, NGTCP2_STATELESS_RESET_TOKENLEN) == 0) {
            is_retired |= guard->tokens[i].is_retired;
            is_present |= !guard->tokens[i].is_retired;
        }
    }
    /* A peer that gives several IDs the same token means the one that is in use as well. */
    return is_retired && !is_present;
}
