/// Outlines of certificates.
#include "internal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/// A copy without control characters, which do not belong in a name and would break a log line.
static char *clean_copy(const char *text, size_t length) {
    char *copy = malloc(length + 1);
    if (!copy) {
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        copy[i] = byte < 0x20 || byte == 0x7f ? '?' : text[i];
    }
    copy[length] = 0;
    return copy;
}

static char *name_of(gnutls_x509_crt_t certificate, int (*get)(gnutls_x509_crt_t, gnutls_datum_t *, unsigned int)) {
    gnutls_datum_t name;
    if (get(certificate, &name, 0) != 0) {
        return clean_copy("", 0);
    }
    char *copy = clean_copy((const char *)name.data, name.size);
    gnutls_free(name.data);
    return copy;
}

/// For example "RSA 2048".
static char *key_of(gnutls_x509_crt_t certificate) {
    char text[64];
    unsigned int bits = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(certificate, &bits);
    const char *name = algorithm < 0 ? NULL : gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm);
    int length = snprintf(text, sizeof(text), "%s %u", name ? name : "unknown", bits);
    return clean_copy(text, length > 0 && (size_t)length < sizeof(text) ? (size_t)length : 0);
}

/// For example "RSA-SHA256".
static char *signature_of(gnutls_x509_crt_t certificate) {
    int algorithm = gnutls_x509_crt_get_signature_algorithm(certificate);
    const char *name = algorithm < 0 ? NULL : gnutls_sign_get_name((gnutls_sign_algorithm_t)algorithm);
    name = name ? name : "unknown";
    return clean_copy(name, strlen(name));
}

/// The text of an alternative name; null for kinds that no host name is compared with.
static const char *alternative_name(int type, const char *bytes, size_t length, char *address, socklen_t capacity) {
    if (type == GNUTLS_SAN_DNSNAME) {
        return bytes;
    }
    if (type == GNUTLS_SAN_IPADDRESS && (length == 4 || length == 16)) {
        return inet_ntop(length == 4 ? AF_INET : AF_INET6, bytes, address, capacity);
    }
    return NULL;
}

/// One name per line.
static char *alternative_names(gnutls_x509_crt_t certificate) {
    char *names = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&names, &size);
    if (!stream) {
        return NULL;
    }
    char bytes[512];
    char address[INET6_ADDRSTRLEN];
    for (unsigned int i = 0; i < 256; i++) {
        size_t length = sizeof(bytes) - 1;
        unsigned int type = 0;
        int error = gnutls_x509_crt_get_subject_alt_name2(certificate, i, bytes, &length, &type, NULL);
        if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            break;
        }
        if (error < 0) {
            continue;
        }
        bytes[length < sizeof(bytes) ? length : sizeof(bytes) - 1] = 0;
        const char *name = alternative_name((int)type, bytes, length, address, sizeof(address));
        char *clean = name ? clean_copy(name, strlen(name)) : NULL;
        if (clean) {
            fprintf(stream, "%s\n", clean);
            free(clean);
        }
    }
    fclose(stream);
    return names;
}

static int authority_of(gnutls_x509_crt_t certificate) {
    unsigned int authority = 0;
    int error = gnutls_x509_crt_get_basic_constraints(certificate, NULL, &authority, NULL);
    return error < 0 ? -1 : authority != 0;
}

/// RFC 5280 4.2.1.12. What can't be read says nothing.
static bool excludes_servers(gnutls_x509_crt_t certificate) {
    for (unsigned int i = 0; i < 64; i++) {
        char purpose[128];
        size_t length = sizeof(purpose);
        int error = gnutls_x509_crt_get_key_purpose_oid(certificate, i, purpose, &length, NULL);
        if (error == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return i > 0;
        }
        if (error == GNUTLS_E_SHORT_MEMORY_BUFFER) {
            continue;
        }
        if (error < 0 || strcmp(purpose, GNUTLS_KP_TLS_WWW_SERVER) == 0 || strcmp(purpose, GNUTLS_KP_ANY) == 0) {
            return false;
        }
    }
    return false;
}

void bridge_quic_describe_certificate(gnutls_x509_crt_t certificate, bridge_quic_certificate *result) {
    *result = (bridge_quic_certificate){
        .subject = name_of(certificate, gnutls_x509_crt_get_dn3),
        .issuer = name_of(certificate, gnutls_x509_crt_get_issuer_dn3),
        .names = alternative_names(certificate),
        .key = key_of(certificate),
        .signature = signature_of(certificate),
        .not_before = (int64_t)gnutls_x509_crt_get_activation_time(certificate),
        .not_after = (int64_t)gnutls_x509_crt_get_expiration_time(certificate),
        .authority = authority_of(certificate),
        .excludes_servers = excludes_servers(certificate),
    };
}

bool bridge_quic_peer_certificate(const bridge_quic_connection *connection, size_t index,
                                  bridge_quic_certificate *result) {
    unsigned int count = 0;
    const gnutls_datum_t *chain = bridge_peer_certificates(connection, &count);
    gnutls_x509_crt_t certificate;
    if (!chain || index >= count || gnutls_x509_crt_init(&certificate) != 0) {
        return false;
    }
    bool imported = gnutls_x509_crt_import(certificate, &chain[index], GNUTLS_X509_FMT_DER) == 0;
    if (imported) {
        bridge_quic_describe_certificate(certificate, result);
    }
    gnutls_x509_crt_deinit(certificate);
    return imported;
}

void bridge_quic_certificate_free(bridge_quic_certificate *certificate) {
    free(certificate->subject);
    free(certificate->issuer);
    free(certificate->names);
    free(certificate->key);
    free(certificate->signature);
    *certificate = (bridge_quic_certificate){0};
}
