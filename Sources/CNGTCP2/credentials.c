/// Certificates, keys and the key log.
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* TLS 1.3 only, and only the ciphers for which QUIC defines header protection (RFC 9001 5.4). */
static const char *const priority_string =
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3"
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1";

/* In bytes. A larger file of certificates must be a mistake. */
static const size_t maximum_file_size = 4 * 1024 * 1024;

bridge_quic_credentials *bridge_quic_credentials_new(void) {
    bridge_quic_credentials *credentials = calloc(1, sizeof(*credentials));
    if (!credentials) {
        return NULL;
    }
    if (gnutls_certificate_allocate_credentials(&credentials->certificates) != 0 ||
        gnutls_priority_init(&credentials->priorities, priority_string, NULL) != 0) {
        bridge_quic_credentials_free(credentials);
        return NULL;
    }
    return credentials;
}

void bridge_quic_credentials_free(bridge_quic_credentials *credentials) {
    if (!credentials) {
        return;
    }
    if (credentials->certificates) {
        gnutls_certificate_free_credentials(credentials->certificates);
    }
    if (credentials->priorities) {
        gnutls_priority_deinit(credentials->priorities);
    }
    if (credentials->key_log) {
        fclose(credentials->key_log);
    }
    free(credentials);
}

static void set_why(char *why, const char *text) {
    snprintf(why, BRIDGE_QUIC_WHY_CAPACITY, "%s", text);
}

/// GnuTLS's own text says what its parser found wrong, but not what to do about it.
static void set_why_damaged(char *why, const char *what, int error) {
    snprintf(why, BRIDGE_QUIC_WHY_CAPACITY,
             "%s cannot be read: it is damaged, or of an unknown kind (GnuTLS: %s); copy the file again", what,
             gnutls_strerror(error));
}

/// The whole file, NUL-terminated. On failure, `data` is null and `why` has the reason.
static gnutls_datum_t load(const char *path, char *why) {
    gnutls_datum_t contents = {NULL, 0};
    FILE *file = fopen(path, "re");
    if (!file) {
        set_why(why, strerror(errno));
        return contents;
    }
    unsigned char *bytes = malloc(maximum_file_size);
    size_t length = bytes ? fread(bytes, 1, maximum_file_size - 1, file) : 0;
    int error = bytes && !ferror(file) ? 0 : errno;
    bool whole = feof(file);
    fclose(file);
    if (error != 0 || !whole || length == 0) {
        set_why(why, error != 0 ? strerror(error) : !whole ? "the file is too large" : "the file is empty");
        free(bytes);
        return contents;
    }
    bytes[length] = 0;
    contents.data = bytes;
    contents.size = (unsigned int)length;
    return contents;
}

/// Erases the contents, so that no keys remain in freed memory.
static void unload(gnutls_datum_t *contents) {
    if (contents->data) {
        gnutls_memset(contents->data, 0, contents->size);
        free(contents->data);
        contents->data = NULL;
    }
}

const uint8_t *bridge_quic_credentials_ca_digest(const bridge_quic_credentials *credentials) {
    return credentials->ca_digest;
}

/// Replaces the digest by the SHA-256 digest of itself and the file.
static void mix_into_digest(bridge_quic_credentials *credentials, const gnutls_datum_t *contents) {
    gnutls_hash_hd_t hash;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) == 0) {
        gnutls_hash(hash, credentials->ca_digest, sizeof(credentials->ca_digest));
        gnutls_hash(hash, contents->data, contents->size);
        gnutls_hash_deinit(hash, credentials->ca_digest);
    }
}

static bool add_authorities(bridge_quic_credentials *credentials, const gnutls_datum_t *contents, char *why) {
    int count = gnutls_certificate_set_x509_trust_mem(credentials->certificates, contents, GNUTLS_X509_FMT_PEM);
    mix_into_digest(credentials, contents);
    if (count == 0 || count == GNUTLS_E_BASE64_DECODING_ERROR || count == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR) {
        set_why(why, "it holds no certificate in PEM form");
    } else if (count < 0) {
        set_why_damaged(why, "a certificate in it", count);
    }
    return count > 0;
}

bool bridge_quic_credentials_load_ca(bridge_quic_credentials *credentials, const char *path, char *why) {
    gnutls_datum_t contents = load(path, why);
    if (!contents.data) {
        return false;
    }
    bool added = add_authorities(credentials, &contents, why);
    unload(&contents);
    return added;
}

bool bridge_quic_credentials_add_ca_text(bridge_quic_credentials *credentials, const uint8_t *text, size_t length,
                                         char *why) {
    if (length == 0 || length > maximum_file_size) {
        set_why(why, length == 0 ? "it is empty" : "it is too large");
        return false;
    }
    gnutls_datum_t contents = {(unsigned char *)text, (unsigned int)length};
    return add_authorities(credentials, &contents, why);
}

static bool load_chain(const char *path, gnutls_x509_crt_t **chain, unsigned int *count, char *why) {
    gnutls_datum_t contents = load(path, why);
    if (!contents.data) {
        return false;
    }
    int error = gnutls_x509_crt_list_import2(chain, count, &contents, GNUTLS_X509_FMT_PEM, 0);
    unload(&contents);
    if (error < 0) {
        bool not_pem = error == GNUTLS_E_NO_CERTIFICATE_FOUND || error == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR ||
                       error == GNUTLS_E_BASE64_DECODING_ERROR;
        if (not_pem) {
            set_why(why, "it holds no certificate in PEM form");
        } else {
            set_why_damaged(why, "a certificate in it", error);
        }
    }
    return error >= 0;
}

static void free_chain(gnutls_x509_crt_t *chain, unsigned int count) {
    for (unsigned int i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
}

bridge_quic_certificate *bridge_quic_certificates_of_file(const char *path, size_t *count, char *why) {
    gnutls_x509_crt_t *chain = NULL;
    unsigned int length = 0;
    *count = 0;
    if (!load_chain(path, &chain, &length, why)) {
        return NULL;
    }
    bridge_quic_certificate *certificates = calloc(length > 0 ? length : 1, sizeof(*certificates));
    if (certificates) {
        for (unsigned int i = 0; i < length; i++) {
            bridge_quic_describe_certificate(chain[i], &certificates[i]);
        }
        *count = length;
    } else {
        set_why(why, strerror(ENOMEM));
    }
    free_chain(chain, length);
    return certificates;
}

void bridge_quic_certificates_free(bridge_quic_certificate *certificates, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bridge_quic_certificate_free(&certificates[i]);
    }
    free(certificates);
}

static bool load_key(const char *path, gnutls_x509_privkey_t key, char *why) {
    gnutls_datum_t contents = load(path, why);
    if (!contents.data) {
        return false;
    }
    int error = gnutls_x509_privkey_import2(key, &contents, GNUTLS_X509_FMT_PEM, NULL, 0);
    unload(&contents);
    switch (error) {
    case 0: return true;
    case GNUTLS_E_DECRYPTION_FAILED: set_why(why, "the key is encrypted: store it without a passphrase"); break;
    case GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR:
    case GNUTLS_E_BASE64_DECODING_ERROR:
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE: set_why(why, "it holds no private key in PEM form"); break;
    default: set_why_damaged(why, "the key in it", error); break;
    }
    return false;
}

/// Which certificate of the chain the key belongs to, counted from 1; 0 if none.
static unsigned int owner_of_key(gnutls_x509_crt_t *chain, unsigned int count, gnutls_x509_privkey_t key) {
    unsigned char wanted[64];
    size_t wanted_length = sizeof(wanted);
    if (gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, wanted, &wanted_length) != 0) {
        return 0;
    }
    for (unsigned int i = 0; i < count; i++) {
        unsigned char id[64];
        size_t length = sizeof(id);
        if (gnutls_x509_crt_get_key_id(chain[i], GNUTLS_KEYID_USE_SHA256, id, &length) == 0 &&
            length == wanted_length && memcmp(id, wanted, length) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void set_why_mismatch(char *why, const char *certificate_path, unsigned int owner) {
    if (owner == 0) {
        snprintf(why, BRIDGE_QUIC_WHY_CAPACITY,
                 "the key does not belong to the certificate in %s: use the one that the certificate was requested with",
                 certificate_path);
    } else {
        snprintf(why, BRIDGE_QUIC_WHY_CAPACITY,
                 "the certificates are in the wrong order: the one that the key belongs to is number %u of the file, and "
                 "has to be the first, with its issuer behind it",
                 owner);
    }
}

static bool use_pair(bridge_quic_credentials *credentials, gnutls_x509_crt_t *chain, unsigned int count,
                     gnutls_x509_privkey_t key, const char *certificate_path, bool *key_at_fault, char *why) {
    int error = gnutls_certificate_set_x509_key(credentials->certificates, chain, (int)count, key);
    if (error == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
        unsigned int owner = owner_of_key(chain, count, key);
        *key_at_fault = owner == 0;
        set_why_mismatch(why, certificate_path, owner);
    } else if (error < 0) {
        *key_at_fault = false;
        set_why_damaged(why, "its certificate together with the key", error);
    }
    return error >= 0;
}

bool bridge_quic_credentials_load_key_pair(bridge_quic_credentials *credentials, const char *certificate_path,
                                           const char *key_path, bool *key_at_fault, char *why) {
    gnutls_x509_crt_t *chain = NULL;
    unsigned int count = 0;
    gnutls_x509_privkey_t key = NULL;
    *key_at_fault = false;
    if (!load_chain(certificate_path, &chain, &count, why)) {
        return false;
    }
    *key_at_fault = true;
    bool usable = gnutls_x509_privkey_init(&key) == 0 && load_key(key_path, key, why) &&
                  use_pair(credentials, chain, count, key, certificate_path, key_at_fault, why);
    if (key) {
        gnutls_x509_privkey_deinit(key);
    }
    free_chain(chain, count);
    return usable;
}

bool bridge_quic_credentials_open_key_log(bridge_quic_credentials *credentials, const char *path, char *why) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    credentials->key_log = file < 0 ? NULL : fdopen(file, "a");
    if (!credentials->key_log) {
        set_why(why, strerror(errno));
        if (file >= 0) {
            close(file);
        }
        return false;
    }
    return true;
}
