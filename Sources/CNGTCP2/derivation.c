/// Derivation of secrets, and digests.
#include "CNGTCP2.h"

#include <gnutls/crypto.h>

bool bridge_quic_derive_secret(const uint8_t *key, size_t key_length, const uint8_t *label, size_t label_length,
                               uint8_t *secret) {
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_length, label, label_length, secret) == 0;
}

bool bridge_sha256(const uint8_t *bytes, size_t length, uint8_t *digest) {
    return gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, length, digest) == 0;
}

const char *bridge_quic_tls_library_version(void) {
    return gnutls_check_version(NULL);
}
