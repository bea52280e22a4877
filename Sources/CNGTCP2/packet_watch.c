/// Sees each packet in the clear as it is protected or its protection is taken off: what came really came from the peer,
/// and whether what goes out asks for an answer. ngtcp2 tells neither.
#include "frame_reader.h"
#include "internal.h"

/// The connection whose packets are being read or written on this thread: ngtcp2's callbacks do not tell.
static _Thread_local bridge_quic_connection *active;

void bridge_packet_watch_enter(bridge_quic_connection *connection) {
    active = connection;
}

/// Whether the peer has to acknowledge a packet (RFC 9000 13.2.1). ngtcp2 writes ACK before all frames that ask for it,
/// but for PATH_RESPONSE, and PADDING behind them.
static bool is_ack_eliciting(const uint8_t *bytes, size_t length) {
    frame_reader reader = {.at = bytes, .end = bytes + length};
    while (reader.at < reader.end) {
        uint64_t type = read_integer(&reader);
        switch (type) {
        case 0x00: break;
        case 0x02: case 0x03: skip_ack(&reader, type == 0x03); break;
        case 0x1c: case 0x1d: return false;
        default: return !reader.is_malformed;
        }
    }
    return false;
}

int bridge_packet_watch_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *aead_ctx,
                                const uint8_t *plaintext, size_t plaintext_length, const uint8_t *nonce,
                                size_t nonce_length, const uint8_t *aad, size_t aad_length) {
    if (active && !active->has_written_eliciting) {
        active->has_written_eliciting = is_ack_eliciting(plaintext, plaintext_length);
        /* ngtcp2 writes nothing else beside it. */
        active->has_written_challenge = plaintext_length > 0 && *plaintext == 0x1a;
    }
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
    active->has_read_packet = true;
    if (ciphertext_length > aead->max_overhead &&
        !bridge_frame_guard_admits(active, dest, ciphertext_length - aead->max_overhead)) {
        return NGTCP2_ERR_DECRYPT;
    }
    return 0;
}
