/// Keeps NEW_CONNECTION_ID frames from ngtcp2 that come again after the peer has asked to retire that connection ID.
///
/// ngtcp2 0.12.1 aborts the process for one while its RETIRE_CONNECTION_ID is not acknowledged: it takes a packet that
/// was sent twice under loss, or anyone who has shaken hands and writes two frames. The frame says nothing new, so that
/// it is overwritten by a PING in the packet, once that is decrypted.
///
/// Nor does 0.12.1 bear that a server retires the first ID before the client has written a packet after the handshake:
/// such a packet counts as lost. Versions from 1.0 on need neither.
#include "internal.h"

#include <string.h>

#if NGTCP2_VERSION_NUM < 0x010000

/// The connection whose packets are being read on this thread: ngtcp2's callback does not tell.
static _Thread_local bridge_quic_connection *reading;

void bridge_frame_guard_enter(bridge_quic_connection *connection) {
    reading = connection;
}

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool is_malformed;
} frame_reader;

/// 0 where there is less left, and then the reader is at its end.
static uint64_t read_integer(frame_reader *reader) {
    size_t left = (size_t)(reader->end - reader->at);
    size_t length = left > 0 ? (size_t)1 << (*reader->at >> 6) : 1;
    if (left < length) {
        reader->is_malformed = true;
        reader->at = reader->end;
        return 0;
    }
    uint64_t value = *reader->at & 0x3f;
    for (size_t i = 1; i < length; i++) {
        value = value << 8 | reader->at[i];
    }
    reader->at += length;
    return value;
}

static void skip_bytes(frame_reader *reader, uint64_t count) {
    if ((uint64_t)(reader->end - reader->at) < count) {
        reader->is_malformed = true;
        reader->at = reader->end;
        return;
    }
    reader->at += count;
}

static void skip_integers(frame_reader *reader, size_t count) {
    for (size_t i = 0; i < count; i++) {
        read_integer(reader);
    }
}

static void skip_ack(frame_reader *reader, bool has_ecn) {
    skip_integers(reader, 2);
    uint64_t ranges = read_integer(reader);
    read_integer(reader);
    for (uint64_t i = 0; i < ranges && !reader->is_malformed; i++) {
        skip_integers(reader, 2);
    }
    skip_integers(reader, has_ecn ? 3 : 0);
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

/// False where the packet must not be taken in now.
static bool look_through(bridge_quic_connection *connection, uint8_t *bytes, size_t length) {
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

int bridge_frame_guard_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                               const uint8_t *ciphertext, size_t ciphertext_length, const uint8_t *nonce,
                               size_t nonce_length, const uint8_t *aad, size_t aad_length) {
    int error = ngtcp2_crypto_decrypt_cb(dest, aead, aead_ctx, ciphertext, ciphertext_length, nonce, nonce_length, aad,
                                         aad_length);
    if (error == 0 && reading && ciphertext_length > aead->max_overhead &&
        !look_through(reading, dest, ciphertext_length - aead->max_overhead)) {
        return NGTCP2_ERR_DECRYPT;
    }
    return error;
}

#endif
