/// Walks through the frames of a decrypted packet (RFC 9000 19).
#ifndef BRIDGE_QUIC_FRAME_READER_H
#define BRIDGE_QUIC_FRAME_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool is_malformed;
} frame_reader;

/// 0 if there are too few bytes left; the reader is at its end then.
static inline uint64_t read_integer(frame_reader *reader) {
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

static inline void skip_integers(frame_reader *reader, size_t count) {
    for (size_t i = 0; i < count; i++) {
        read_integer(reader);
    }
}

/// Skips an ACK frame after its type.
static inline void skip_ack(frame_reader *reader, bool has_ecn) {
    skip_integers(reader, 2);
    uint64_t ranges = read_integer(reader);
    read_integer(reader);
    for (uint64_t i = 0; i < ranges && !reader->is_malformed; i++) {
        skip_integers(reader, 2);
    }
    skip_integers(reader, has_ecn ? 3 : 0);
}

static inline void skip_bytes(frame_reader *reader, uint64_t count) {
    if ((uint64_t)(reader->end - reader->at) < count) {
        reader->is_malformed = true;
        reader->at = reader->end;
        return;
    }
    reader->at += count;
}

static inline bool is_stream_frame(uint64_t type) {
    return type >= 0x08 && type <= 0x0f;
}

/// Skips a STREAM frame after its type, and returns how many bytes of the stream it has.
static inline uint64_t skip_stream(frame_reader *reader, uint64_t type) {
    skip_integers(reader, type & 0x4 ? 2 : 1);
    uint64_t left = (uint64_t)(reader->end - reader->at);
    uint64_t length = type & 0x2 ? read_integer(reader) : left;
    skip_bytes(reader, length);
    return length;
}

/// Skips a frame of RFC 9000 19 after its type.
static inline void skip_frame(frame_reader *reader, uint64_t type) {
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
    /* CONNECTION_CLOSE and unknown types: ngtcp2 stops reading there as well. */
    default: reader->is_malformed = true; break;
    }
}

#endif
