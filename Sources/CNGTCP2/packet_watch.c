/// Sees each packet in plain text as it is encrypted or decrypted, and finds out whether a received packet is really
/// the peer's, which streams the peer stops, whether a packet that is sent has to be answered, how much stream data it
/// carries, and which of the peer's connection IDs it retires. ngtcp2 reports none of this.
#include "frame_reader.h"
#include "internal.h"

#ifdef BRIDGE_FUZZING
#include <string.h>
#endif

/// The connection whose packets are being read or written on this thread, because ngtcp2's callbacks do not tell.
static _Thread_local bridge_quic_connection *active;

void bridge_packet_watch_enter(bridge_quic_connection *connection) {
    active = connection;
}

/// Whether the peer has to acknowledge a packet (RFC 9000 13.2.1). ngtcp2 writes ACK before all frames that demand an
/// acknowledgement, except PATH_RESPONSE, and PADDING after them.
static bool is_ack_eliciting(const uint8_t *bytes, size_t length, bool *has_ack) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end) {
        uint64_t type = read_integer(&reader);
        switch (type) {
        case 0x00: break;
        case 0x02: case 0x03:
            *has_ack = true;
            skip_ack(&reader, type == 0x03);
            break;
        case 0x1c: case 0x1d: return false;
        default: return !reader.is_malformed;
        }
    }
    return false;
}

/// Whether the header is that of a 0-RTT or 1-RTT packet (RFC 9000 17). Anyone can make the first packets of other
/// types.
static bool is_application_packet(const uint8_t *header, size_t length) {
    return length > 0 && ((*header & 0x80) == 0 || (*header & 0x30) == 0x10);
}

/// Looks for STOP_SENDING in a received packet. ngtcp2 takes no more bytes of such a stream, but one finds out only by
/// trying, and a stream that waits for the peer's credit never tries.
static void tell_stopped_streams(const bridge_quic_connection *connection, const uint8_t *bytes, size_t length) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end && !reader.is_malformed) {
        uint64_t type = read_integer(&reader);
        if (type != 0x05) {
            skip_frame(&reader, type);
            continue;
        }
        uint64_t stream = read_integer(&reader);
        read_integer(&reader);
        if (!reader.is_malformed && connection->owner) {
            connection->callbacks.stream_stopped(connection->owner, (int64_t)stream);
        }
    }
}

/// Counts the bytes of streams in a packet that is sent, and notes the connection IDs that it retires.
static void watch_sent_frames(bridge_quic_connection *connection, const uint8_t *bytes, size_t length) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end && !reader.is_malformed) {
        uint64_t type = read_integer(&reader);
        if (is_stream_frame(type)) {
            connection->watch.stream_bytes += skip_stream(&reader, type);
        } else if (type == 0x19) {
            bridge_reset_guard_retire(&connection->reset_guard, read_integer(&reader));
        } else {
            skip_frame(&reader, type);
        }
    }
}

#ifdef BRIDGE_FUZZING
/// The fuzz target quic-frames makes a peer of this side that sends whatever it likes. Only scripts/fuzz builds this.
typedef void (*bridge_fuzz_rewriter)(uint8_t *frames, size_t length, bool is_server);
void bridge_fuzz_rewrite(bridge_fuzz_rewriter rewriter);
static bridge_fuzz_rewriter rewrite;

void bridge_fuzz_rewrite(bridge_fuzz_rewriter rewriter) {
    rewrite = rewriter;
}
#endif

int bridge_packet_watch_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                                const uint8_t *plaintext, size_t plaintext_length, const uint8_t *nonce,
                                size_t nonce_length, const uint8_t *aad, size_t aad_length) {
    if (active && !active->watch.has_written_eliciting) {
        bool has_ack = false;
        active->watch.has_written_eliciting = is_ack_eliciting(plaintext, plaintext_length, &has_ack);
        if (has_ack && is_application_packet(aad, aad_length)) {
            bridge_acknowledgements_wrote(active);
        }
        /* ngtcp2 writes nothing else beside a PATH_CHALLENGE. */
        active->watch.has_written_challenge = plaintext_length > 0 && *plaintext == 0x1a;
    }
    if (active && is_application_packet(aad, aad_length)) {
        watch_sent_frames(active, plaintext, plaintext_length);
    }
#ifdef BRIDGE_FUZZING
    uint8_t frames[65536];
    if (rewrite && active && plaintext_length <= sizeof(frames)) {
        memcpy(frames, plaintext, plaintext_length);
        rewrite(frames, plaintext_length, active->is_server);
        plaintext = frames;
    }
#endif
    return ngtcp2_crypto_encrypt_cb(dest, aead, aead_ctx, plaintext, plaintext_length, nonce, nonce_length, aad,
                                    aad_length);
}

int bridge_packet_watch_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                                const uint8_t *ciphertext, size_t ciphertext_length, const uint8_t *nonce,
                                size_t nonce_length, const uint8_t *aad, size_t aad_length) {
    int error = ngtcp2_crypto_decrypt_cb(dest, aead, aead_ctx, ciphertext, ciphertext_length, nonce, nonce_length, aad,
                                         aad_length);
    if (error != 0 || !active) {
        return error;
    }
    active->watch.has_read_packet = true;
    if (ciphertext_length <= aead->max_overhead) {
        return 0;
    }
    size_t length = ciphertext_length - aead->max_overhead;
    if (!bridge_frame_guard_admits(active, dest, length)) {
        return NGTCP2_ERR_DECRYPT;
    }
    bridge_acknowledgements_read(active, aad, aad_length, dest, length);
    if (is_application_packet(aad, aad_length)) {
        tell_stopped_streams(active, dest, length);
    }
    return 0;
}
