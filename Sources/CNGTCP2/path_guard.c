/// Keeps packets from ngtcp2 that come back from a path which the client left only just before.
///
/// While the new path is being validated, ngtcp2 0.12.1 aborts the process for a packet from the old one (an assertion
/// about path MTU discovery), and 1.11 does where discovery is off. It takes a NAT that flaps, or anyone who can send
/// under two addresses. To the client such a packet is one that was lost.
#include "internal.h"

#include <stdlib.h>

#define CAPACITY 4

struct bridge_path_guard {
    /// In use when the last datagram came in.
    ngtcp2_path_storage current;
    struct {
        ngtcp2_path_storage path;
        uint64_t left_at;
        bool is_used;
    } left[CAPACITY];
};

bridge_path_guard *bridge_path_guard_new(const ngtcp2_path *path) {
    bridge_path_guard *guard = calloc(1, sizeof(*guard));
    if (guard) {
        ngtcp2_path_storage_zero(&guard->current);
        ngtcp2_path_copy(&guard->current.path, path);
        for (size_t i = 0; i < CAPACITY; i++) {
            ngtcp2_path_storage_zero(&guard->left[i].path);
        }
    }
    return guard;
}

/// Two validations of three probe timeouts each, with the initial RTT where that is longer (RFC 9000 8.2.4).
static uint64_t settling_time(ngtcp2_conn *conn) {
    uint64_t pto = ngtcp2_conn_get_pto(conn);
    uint64_t least = 1000 * NGTCP2_MILLISECONDS;
    return 6 * (pto > least ? pto : least);
}

static void leave(bridge_path_guard *guard, const ngtcp2_path *current, uint64_t now) {
    size_t oldest = 0;
    for (size_t i = 0; i < CAPACITY; i++) {
        if (!guard->left[i].is_used) {
            oldest = i;
            break;
        }
        if (guard->left[i].left_at < guard->left[oldest].left_at) {
            oldest = i;
        }
    }
    ngtcp2_path_copy(&guard->left[oldest].path.path, &guard->current.path);
    guard->left[oldest].left_at = now;
    guard->left[oldest].is_used = true;
    ngtcp2_path_copy(&guard->current.path, current);
}

bool bridge_path_guard_stops(bridge_path_guard *guard, ngtcp2_conn *conn, const ngtcp2_path *path, uint64_t now) {
    const ngtcp2_path *current = ngtcp2_conn_get_path(conn);
    if (!ngtcp2_path_eq(current, &guard->current.path)) {
        leave(guard, current, now);
    }
    if (ngtcp2_path_eq(current, path)) {
        return false;
    }
    size_t recent = 0;
    for (size_t i = 0; i < CAPACITY; i++) {
        if (guard->left[i].is_used && now - guard->left[i].left_at < settling_time(conn)) {
            recent++;
            if (ngtcp2_path_eq(path, &guard->left[i].path.path)) {
                return true;
            }
        }
    }
    /* With more moves than can be remembered, the client stays where it is for now. */
    return recent == CAPACITY;
}
