/// Password hashes.
#include "internal.h"

#include <limits.h>

bool bridge_pbkdf2_sha512(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length,
                          uint32_t iterations, uint8_t *output, size_t output_length) {
    /* GnuTLS reads no byte of an empty datum, but some versions refuse a null one. */
    static unsigned char nothing[1];
    if (password_length > UINT_MAX || salt_length > UINT_MAX || iterations == 0) {
        return false;
    }
    const gnutls_datum_t key = {password_length ? (unsigned char *)(uintptr_t)password : nothing,
                                (unsigned int)password_length};
    const gnutls_datum_t salt_datum = {salt_length ? (unsigned char *)(uintptr_t)salt : nothing,
                                       (unsigned int)salt_length};
    return gnutls_pbkdf2(GNUTLS_MAC_SHA512, &key, &salt_datum, iterations, output, output_length) == 0;
}

bool bridge_equal_in_constant_time(const uint8_t *left, const uint8_t *right, size_t length) {
    return length == 0 || gnutls_memcmp(left, right, length) == 0;
}
