/// Hides packets from ngtcp2 0.12.1 that come from a path which the client has only just left.
///
/// While ngtcp2 validates a new path, it keeps another one to fall back to. Version 0.12.1 aborts the process for a
/// packet from that path (an assertion about path MTU discovery) during the second validation of the new path, which
/// follows if the first was done with a small datagram. If discovery is off, the same happens during the first
/// validation. A NAT that flaps can cause that, and so can anyone who sends from two addresses. To the client a hidden
/// packet is a lost one.
///
/// ngtcp2 does not report the state of its validations. It is derived here from the path in use and from the results
/// that it does report. A path that was not used before is followed at once, however often that happens. Versions from
/// 1.0 on report different results and survive more; fallback_guard.c is for those.
///
/// Version 0.12.1 also aborts if a client that has moved without another connection ID, as behind a NAT, moves again
/// with one, or to a path that it probed, before all validations are over, because it would retire an ID twice. Such a
/// client's packets are taken in a little later.
///
///     settled ---- another path is in use ----> first ---- valid, but by a small datagram ----> second
///        ^                                      |  ^                                            |   |
///        +------ valid, failed, or back --------+  +---------- another path is in use ----------+   |
///        +------------------------------------ valid -----------------------------------------------+
#include "path_number.h"


#if NGTCP2_VERSION_NUM < 0x010000

/* How many paths ngtcp2 may fall back to: the one that was left, and one more for each that was left during its second
   validation. */
#define CAPACITY 16

/* How many paths beside the current one are remembered because something was received on them. ngtcp2 keeps connection
   IDs for 4. */
#define HEARD_CAPACITY 8

typedef enum { SETTLED, FIRST, SECOND } stage;

struct bridge_path_guard {
    stage stage;
    bool discovers_mtu;
    /// The path in use when the last datagram came, and its hash.
    ngtcp2_path_storage path;
    uint64_t current;
    /// ngtcp2 has fallen back to a path that needs no validation.
    bool has_fallen_back;
    /// The current path has been challenged with a small datagram.
    bool has_small_challenge;
    uint64_t second_since;
    uint64_t fallbacks[CAPACITY];
    size_t count;
    /// There are more fallbacks than can be remembered: only the current path is heard until it is settled.
    bool is_full;
    /// The hash of the connection ID in datagrams on the current path, and on the other path that was heard last.
    uint64_t id;
    uint64_t other_id;
    /// The last move kept the connection ID.
    bool shares_id;
    uint64_t moved_at;
    /// The path beside the current one that was heard last; 0 if it has become the current one.
    uint64_t candidate;
    struct {
        uint64_t path;
        uint64_t at;
    } heard[HEARD_CAPACITY];
};

bridge_path_guard *bridge_path_guard_new(bridge_memory *memory, const ngtcp2_path *path, bool discovers_mtu) {
    bridge_path_guard *guard = bridge_memory_zeroed(memory, sizeof(*guard));
    if (guard) {
        ngtcp2_path_storage_zero(&guard->path);
        ngtcp2_path_copy(&guard->path.path, path);
        guard->current = bridge_number_of_path(path);
        guard->discovers_mtu = discovers_mtu;
    }
    return guard;
}

static bool is_fallback(const bridge_path_guard *guard, uint64_t path) {
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->fallbacks[i] == path) {
            return true;
        }
    }
    return false;
}

static void settle(bridge_path_guard *guard) {
    guard->stage = SETTLED;
    guard->count = 0;
    guard->is_full = false;
}

static void move(bridge_path_guard *guard, const ngtcp2_path *to, uint64_t now) {
    uint64_t left = guard->current;
    uint64_t path = bridge_number_of_path(to);
    ngtcp2_path_copy(&guard->path.path, to);
    guard->current = path;
    guard->has_small_challenge = false;
    guard->shares_id = guard->id == guard->other_id;
    guard->id = guard->other_id;
    guard->moved_at = now;
    if (guard->has_fallen_back) {
        guard->has_fallen_back = false;
        settle(guard);
        return;
    }
    if (guard->stage == FIRST && guard->count == 1 && guard->fallbacks[0] == path) {
        settle(guard);
        return;
    }
    if (guard->stage != FIRST && !is_fallback(guard, left)) {
        if (guard->count < CAPACITY) {
            guard->fallbacks[guard->count++] = left;
        } else {
            guard->is_full = true;
        }
    }
    guard->stage = FIRST;
}

/* The second validation ends with an answer, or with the connection. If there is no second one after all, because
   another challenge was large, ngtcp2 does not report that. */
static const uint64_t longest_validation = 60 * NGTCP2_SECONDS;

/// How long validations whose end ngtcp2 does not report may take, after the path was left or validated: two of three
/// probe timeouts each, computed with the initial RTT if that is longer (RFC 9000 8.2.4).
static uint64_t settling_time(ngtcp2_conn *conn) {
    uint64_t pto = ngtcp2_conn_get_pto(conn);
    uint64_t least = 1000 * NGTCP2_MILLISECONDS;
    return 6 * (pto > least ? pto : least);
}

/// Remembers that something was received on a path, in the place of the path where that was longest ago.
static void hear(bridge_path_guard *guard, uint64_t path, uint64_t now) {
    size_t place = 0;
    for (size_t i = 0; i < HEARD_CAPACITY; i++) {
        if (guard->heard[i].path == path) {
            place = i;
            break;
        }
        if (guard->heard[i].at < guard->heard[place].at) {
            place = i;
        }
    }
    guard->heard[place].path = path;
    guard->heard[place].at = now;
}

/// Whether something was received on the path since, or on so many paths that this is unknown.
static bool may_have_been_heard(const bridge_path_guard *guard, uint64_t path, uint64_t since) {
    size_t count = 0;
    for (size_t i = 0; i < HEARD_CAPACITY; i++) {
        if (guard->heard[i].path != 0 && guard->heard[i].at >= since) {
            count++;
            if (guard->heard[i].path == path) {
                return true;
            }
        }
    }
    return count == HEARD_CAPACITY;
}

static void follow(bridge_path_guard *guard, const ngtcp2_path *current, uint64_t now) {
    uint64_t candidate = guard->candidate;
    guard->candidate = 0;
    if (!ngtcp2_path_eq(current, &guard->path.path)) {
        move(guard, current, now);
    } else {
        guard->has_fallen_back = false;
    }
    if (candidate != 0 && candidate != guard->current) {
        hear(guard, candidate, now);
    }
    if (guard->stage == SECOND && now - guard->second_since >= longest_validation) {
        settle(guard);
    }
}

void bridge_path_guard_challenged(bridge_path_guard *guard, ngtcp2_conn *conn, size_t length, uint64_t now) {
    follow(guard, ngtcp2_conn_get_path(conn), now);
    if (length < NGTCP2_MAX_UDP_PAYLOAD_SIZE) {
        guard->has_small_challenge = true;
    }
}

void bridge_path_guard_validated(bridge_path_guard *guard, ngtcp2_conn *conn, ngtcp2_path_validation_result result,
                                 uint64_t now) {
    if (result == NGTCP2_PATH_VALIDATION_RESULT_ABORTED) {
        return;
    }
    follow(guard, ngtcp2_conn_get_path(conn), now);
    guard->moved_at = now;
    if (result == NGTCP2_PATH_VALIDATION_RESULT_FAILURE) {
        guard->has_fallen_back = true;
    } else if (guard->stage == FIRST && guard->has_small_challenge) {
        guard->stage = SECOND;
        guard->second_since = now;
    } else {
        settle(guard);
    }
}

bool bridge_path_guard_stops(bridge_path_guard *guard, ngtcp2_conn *conn, const ngtcp2_path *path, const uint8_t *bytes,
                             size_t length, size_t id_length, uint64_t now) {
    const ngtcp2_path *current = ngtcp2_conn_get_path(conn);
    bool has_id = length > id_length && (*bytes & 0x80) == 0;
    uint64_t id = has_id ? bridge_mix(1, bytes + 1, id_length) : guard->id;
    follow(guard, current, now);
    if (ngtcp2_path_eq(path, current)) {
        guard->id = id;
        return false;
    }
    uint64_t given = bridge_number_of_path(path);
    uint64_t time = settling_time(conn);
    if (guard->shares_id && (guard->stage != SETTLED || now - guard->moved_at < time)) {
        if (id != guard->id || may_have_been_heard(guard, given, now > time ? now - time : 0)) {
            return true;
        }
    }
    /* The datagram itself may have the answer with which the second validation begins. */
    bool is_risky = guard->stage == SECOND || !guard->discovers_mtu || guard->has_small_challenge;
    if (guard->stage != SETTLED && is_risky && (guard->is_full || is_fallback(guard, given))) {
        return true;
    }
    guard->other_id = id;
    guard->candidate = given;
    return false;
}

#endif
