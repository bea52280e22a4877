/// Hides NEW_CONNECTION_ID frames from ngtcp2 that are repeated after the peer has asked to retire that connection ID.
///
/// ngtcp2 0.12.1 aborts the process for such a frame while its RETIRE_CONNECTION_ID is not acknowledged. A packet that
/// was sent twice under loss can cause that, and so can any peer that has completed a handshake and writes two frames.
/// The frame says nothing new, so a PING replaces it in the decrypted packet.
///
/// Version 0.12.1 also aborts if a server retires the first ID before the client has written a packet after the
/// handshake: such a packet is treated as lost. Versions from 1.0 on need neither.
#include "frame_reader.h"
#include "internal.h"

#include <string.h>

#if NGTCP2_VERSION_NUM < 0x010000

/// Whether the frame says nothing new about an ID that has to be retired.
static bool is_superfluous(bridge_frame_guard *guard, uint64_t sequence, uint64_t retire_prior_to) {
    if (retire_prior_to > guard->retire_prior_to) {
        guard->retire_prior_to = retire_prior_to;
    }
    if (sequence > guard->highest) {
        uint64_t distance = sequence - guard->highest;
        guard->seen = distance < 64 ? guard->seen << distance | 1 : 1;
        guard->highest = sequence;
        return false;
    }
    uint64_t distance = guard->highest - sequence;
    /* A peer has a handful of IDs at a time: such an old one was seen before, or the peer is malicious. */
    bool was_seen = distance >= 64 || (guard->seen >> distance & 1) != 0;
    if (!was_seen) {
        guard->seen |= (uint64_t)1 << distance;
    }
    return was_seen && sequence < guard->retire_prior_to;
}

bool bridge_frame_guard_admits(bridge_quic_connection *connection, uint8_t *bytes, size_t length) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end && !reader.is_malformed) {
        uint8_t *start = bytes + (reader.at - bytes);
        uint64_t type = read_integer(&reader);
        if (type != 0x18) {
            skip_frame(&reader, type);
            continue;
        }
        uint64_t sequence = read_integer(&reader);
        uint64_t retire_prior_to = read_integer(&reader);
        skip_bytes(&reader, reader.at < reader.end ? *reader.at + (uint64_t)1 : 1);
        skip_bytes(&reader, NGTCP2_STATELESS_RESET_TOKENLEN);
        if (reader.is_malformed) {
            continue;
        }
        if (retire_prior_to > 0 && !connection->is_settled) {
            return false;
        }
        if (is_superfluous(&connection->frame_guard, sequence, retire_prior_to)) {
            memset(start, 0, (size_t)(reader.at - start));
            *start = 0x01;
        }
    }
    return true;
}

#endif
