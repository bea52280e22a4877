/// Secrets made from secrets.
#include "CNGTCP2.h"

#include <gnutls/crypto.h>

bool bridge_quic_derive_secret(const uint8_t *key, size_t key_length, const uint8_t *label, size_t label_length,
                               uint8_t *secret) {
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key_length, label, label_length, secret) == 0;
}
