/// Random bytes, digests and password hashes, and the libraries' versions.
#ifndef BRIDGE_CRYPTO_H
#define BRIDGE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// The version of ngtcp2 found at run time, for example "0.12.1".
const char *bridge_quic_library_version(void);
/// The version of GnuTLS found at run time, for example "3.7.9".
const char *bridge_quic_tls_library_version(void);

/// Random bytes fit for keys and connection IDs. Aborts the process if the system has none.
void bridge_quic_random(uint8_t *bytes, size_t length);

/// HMAC-SHA256 of the label under the key: `BRIDGE_QUIC_SECRET_LENGTH` bytes. False if GnuTLS fails.
bool bridge_quic_derive_secret(const uint8_t *key, size_t key_length, const uint8_t *label, size_t label_length,
                               uint8_t *secret);

/// `digest` has room for `BRIDGE_QUIC_DIGEST_LENGTH` bytes. False if GnuTLS fails.
bool bridge_sha256(const uint8_t *bytes, size_t length, uint8_t *digest);

/// PBKDF2 (RFC 8018 5.2) with HMAC-SHA-512. False if there are no iterations, or if the system's policy makes GnuTLS
/// refuse.
bool bridge_pbkdf2_sha512(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length,
                          uint32_t iterations, uint8_t *output, size_t output_length);
/// Takes the same time wherever the first difference is, so that the time reveals nothing about a secret.
bool bridge_equal_in_constant_time(const uint8_t *left, const uint8_t *right, size_t length);

#endif
