/// Keeps NEW_CONNECTION_ID frames from ngtcp2 that come again after the peer has asked to retire that connection ID.
///
/// ngtcp2 0.12.1 aborts the process for one while its RETIRE_CONNECTION_ID is not acknowledged: it takes a packet that
/// was sent twice under loss, or anyone who has shaken hands and writes two frames. The frame says nothing new, so that
/// it is overwritten by a PING in the packet, once that is decrypted.
///
/// Nor does 0.12.1 bear that a server retires the first ID before the client has written a packet after the handshake:
/// such a packet counts as lost. Versions from 1.0 on need neither.
#include "frame_reader.h"
#include "internal.h"

#include <string.h>

#if NGTCP2_VERSION_NUM < 0x010000

static void skip_bytes(frame_reader *reader, uint64_t count) {
    if ((uint64_t)(reader->end - reader->at) < count) {
        reader->is_malformed = true;
        reader->at = reader->end;
        return;
    }
    reader->at += count;
}

static void skip_stream(frame_reader *reader, uint64_t type) {
    skip_integers(reader, type & 0x4 ? 2 : 1);
    uint64_t left = (uint64_t)(reader->end - reader->at);
    skip_bytes(reader, type & 0x2 ? read_integer(reader) : left);
}

/// The frames of RFC 9000 19, behind their type.
static void skip_frame(frame_reader *reader, uint64_t type) {
    switch (type) {
    case 0x00: case 0x01: case 0x1e: break;
    case 0x02: case 0x03: skip_ack(reader, type == 0x03); break;
    case 0x04: skip_integers(reader, 3); break;
    case 0x05: case 0x11: case 0x15: skip_integers(reader, 2); break;
    case 0x06: read_integer(reader); skip_bytes(reader, read_integer(reader)); break;
    case 0x07: skip_bytes(reader, read_integer(reader)); break;
    case 0x08: case 0x09: case 0x0a: case 0x0b: case 0x0c: case 0x0d: case 0x0e: case 0x0f:
        skip_stream(reader, type);
        break;
    case 0x10: case 0x12: case 0x13: case 0x14: case 0x16: case 0x17: case 0x19: read_integer(reader); break;
    case 0x1a: case 0x1b: skip_bytes(reader, 8); break;
    /* CONNECTION_CLOSE and what is not known: ngtcp2 goes no further either. */
    default: reader->is_malformed = true; break;
    }
}

/// Whether the frame says nothing new about an ID that is to be retired.
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
    /* A peer has a handful of them at a time: what is that old has been there, or is not meant well. */
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
