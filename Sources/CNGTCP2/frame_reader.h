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

/// 0 where there is less left, and then the reader is at its end.
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

/// An ACK frame, behind its type.
static inline void skip_ack(frame_reader *reader, bool has_ecn) {
    skip_integers(reader, 2);
    uint64_t ranges = read_integer(reader);
    read_integer(reader);
    for (uint64_t i = 0; i < ranges && !reader->is_malformed; i++) {
        skip_integers(reader, 2);
    }
    skip_integers(reader, has_ecn ? 3 : 0);
}

#endif
