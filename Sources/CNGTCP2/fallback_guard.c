/// Keeps packets from ngtcp2 that come back from a path which the client left only just before, where path MTU discovery
/// is off. As path_guard.c for 0.12.1, but for versions from 1.0 on.
///
/// While ngtcp2 validates a new path it holds the one that was left to fall back to, and keeps that one if the client
/// moves on before it is done. A packet from there means that the client has come back, and before 1.12 makes ngtcp2
/// begin path MTU discovery: it aborts the process where that is off. Where discovery is on there is nothing to guard.
/// To the client such a packet is one that was lost; every other path is followed at once.
///
/// ngtcp2 tells that a path is valid only when no second validation follows, and that a validation was aborted both where
/// the client has moved on and where there is none any more.
#include "path_number.h"

#include <stdlib.h>

#if NGTCP2_VERSION_NUM >= 0x010000

struct bridge_path_guard {
    bool discovers_mtu;
    /// In use when it was looked at last.
    ngtcp2_path_storage path;
    /// The path to fall back to; 0 where there is none.
    uint64_t fallback;
    /// ngtcp2 has fallen back, or is about to, to a path that needs no validation.
    bool has_fallen_back;
};

bridge_path_guard *bridge_path_guard_new(const ngtcp2_path *path, bool discovers_mtu) {
    bridge_path_guard *guard = calloc(1, sizeof(*guard));
    if (guard) {
        ngtcp2_path_storage_zero(&guard->path);
        ngtcp2_path_copy(&guard->path.path, path);
        guard->discovers_mtu = discovers_mtu;
    }
    return guard;
}

/// Takes note of the path that is in use now. True where it is another than before.
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
