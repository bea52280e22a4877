/// Hides packets from ngtcp2 1.0 and later that come from a path which the client has only just left, if path MTU
/// discovery is off. path_guard.c does this for 0.12.1.
///
/// While ngtcp2 validates a new path, it keeps the one that was left to fall back to, and still keeps it if the client
/// moves on in the meantime. A packet from there means that the client has come back. Before 1.12 it makes ngtcp2 begin
/// path MTU discovery, and abort the process if that is off; if discovery is on, there is nothing to guard. To the
/// client a hidden packet is a lost one; every other path is followed at once.
///
/// ngtcp2 reports that a path is valid only if no second validation follows. It reports that a validation was aborted
/// both if the client has moved on and if the validation has become unnecessary.
#include "path_number.h"

#if NGTCP2_VERSION_NUM >= 0x010000

struct bridge_path_guard {
    bool discovers_mtu;
    /// The path in use at the last check.
    ngtcp2_path_storage path;
    /// The path to fall back to; 0 if there is none.
    uint64_t fallback;
    /// ngtcp2 has fallen back, or is about to, to a path that needs no validation.
    bool has_fallen_back;
};

bridge_path_guard *bridge_path_guard_new(bridge_memory *memory, const ngtcp2_path *path, bool discovers_mtu) {
    bridge_path_guard *guard = bridge_memory_zeroed(memory, sizeof(*guard));
    if (guard) {
        ngtcp2_path_storage_zero(&guard->path);
        ngtcp2_path_copy(&guard->path.path, path);
        guard->discovers_mtu = discovers_mtu;
    }
    return guard;
}

/// Takes note of the path that is in use now. True if it has changed.
static bool follow(bridge_path_guard *guard, const ngtcp2_path *current) {
    bool has_moved = !ngtcp2_path_eq(current, &guard->path.path);
    if (guard->has_fallen_back || (has_moved && guard->fallback == bridge_number_of_path(current))) {
        guard->fallback = 0;
    } else if (has_moved && guard->fallback == 0) {
        guard->fallback = bridge_number_of_path(&guard->path.path);
    }
    guard->has_fallen_back = false;
    if (has_moved) {
        ngtcp2_path_copy(&guard->path.path, current);
    }
    return has_moved;
}

void bridge_path_guard_challenged(bridge_path_guard *guard, ngtcp2_conn *conn, size_t length, uint64_t now) {
    (void)length;
    (void)now;
    follow(guard, ngtcp2_conn_get_path(conn));
}

void bridge_path_guard_validated(bridge_path_guard *guard, ngtcp2_conn *conn, ngtcp2_path_validation_result result,
                                 uint64_t now) {
    (void)now;
    bool has_moved = follow(guard, ngtcp2_conn_get_path(conn));
    switch (result) {
    case NGTCP2_PATH_VALIDATION_RESULT_SUCCESS: guard->fallback = 0; break;
    case NGTCP2_PATH_VALIDATION_RESULT_FAILURE: guard->has_fallen_back = true; break;
    case NGTCP2_PATH_VALIDATION_RESULT_ABORTED: guard->fallback = has_moved ? guard->fallback : 0; break;
    }
}

bool bridge_path_guard_stops(bridge_path_guard *guard, ngtcp2_conn *conn, const ngtcp2_path *path, const uint8_t *bytes,
                             size_t length, size_t id_length, uint64_t now) {
    (void)bytes;
    (void)length;
    (void)id_length;
    (void)now;
    const ngtcp2_path *current = ngtcp2_conn_get_path(conn);
    follow(guard, current);
    return !guard->discovers_mtu && guard->fallback != 0 && !ngtcp2_path_eq(path, current) &&
           guard->fallback == bridge_number_of_path(path);
}

#endif
