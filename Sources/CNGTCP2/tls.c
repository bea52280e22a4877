// Certificates, verification and what a handshake agreed on: the GnuTLS half.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// TLS 1.3 only; the cipher suites of RFC 9001 5.3; no compatibility mode (RFC 9001 8.4).
static const char priorities[] =
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:"
    "+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

static void explain(char *why, size_t size, int code) { snprintf(why, size, "%s", gnutls_strerror(code)); }

static bq_tls *tls_new(char *why, size_t why_size) {
    bq_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        snprintf(why, why_size, "out of memory");
        return NULL;
    }
    int code = gnutls_certificate_allocate_credentials(&tls->credentials);
    if (code == 0) code = gnutls_priority_init(&tls->priority, priorities, NULL);
    if (code != 0) {
        explain(why, why_size, code);
        bq_tls_free(tls);
        return NULL;
    }
    return tls;
}

/// A file that cannot be opened says why in the system's words, which GnuTLS's do not.
static int is_readable(const char *path, char *why, size_t why_size) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        snprintf(why, why_size, "%m");
        return 0;
    }
    int first = fgetc(file);
    int failed = ferror(file);
    fclose(file);
    if (failed) {
        snprintf(why, why_size, "it cannot be read: is it a folder?");
        return 0;
    }
    if (first == EOF) {
        snprintf(why, why_size, "it is empty");
        return 0;
    }
    return 1;
}

static int load_ca(bq_tls *tls, const char *path, bq_file *file, char *why, size_t why_size) {
    *file = BQ_FILE_CA;
    if (!is_readable(path, why, why_size)) return 0;
    int count = gnutls_certificate_set_x509_trust_file(tls->credentials, path, GNUTLS_X509_FMT_PEM);
    if (count <= 0) {
        if (count == 0 || count == GNUTLS_E_NO_CERTIFICATE_FOUND || count == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR) {
            snprintf(why, why_size, "no PEM certificate (-----BEGIN CERTIFICATE-----) is in it");
        } else {
            explain(why, why_size, count);
        }
        return 0;
    }
    return 1;
}

static int load_key_pair(bq_tls *tls, const char *cert, const char *key, bq_file *file, char *why, size_t why_size) {
    *file = BQ_FILE_CERTIFICATE;
    if (!is_readable(cert, why, why_size)) return 0;
    if (!is_readable(key, why, why_size)) return 0;
    int code = gnutls_certificate_set_x509_key_file(tls->credentials, cert, key, GNUTLS_X509_FMT_PEM);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
        snprintf(why, why_size, "the key %s does not belong to it", key);
        return 0;
    }
    if (code < 0) {
        snprintf(why, why_size, "certificate, or its key %s: %s", key, gnutls_strerror(code));
        return 0;
    }
    return 1;
}

bq_tls *bq_tls_client_new(const char *ca_file, const char *cert_file, const char *key_file, bq_file *file, char *why,
                          size_t why_size) {
    *file = BQ_FILE_NONE;
    bq_tls *tls = tls_new(why, why_size);
    if (tls == NULL) return NULL;
    if (!load_ca(tls, ca_file, file, why, why_size) ||
        (cert_file != NULL && !load_key_pair(tls, cert_file, key_file, file, why, why_size))) {
        bq_tls_free(tls);
        return NULL;
    }
    return tls;
}

bq_tls *bq_tls_server_new(const char *cert_file, const char *key_file, const char *client_ca_file, bq_file *file,
                          char *why, size_t why_size) {
    *file = BQ_FILE_NONE;
    bq_tls *tls = tls_new(why, why_size);
    if (tls == NULL) return NULL;
    tls->is_server = 1;
    tls->wants_client_certificate = client_ca_file != NULL;
    if (!load_key_pair(tls, cert_file, key_file, file, why, why_size) ||
        (client_ca_file != NULL && !load_ca(tls, client_ca_file, file, why, why_size))) {
        bq_tls_free(tls);
        return NULL;
    }
    return tls;
}

void bq_tls_free(bq_tls *tls) {
    if (tls == NULL) return;
    if (tls->credentials != NULL) gnutls_certificate_free_credentials(tls->credentials);
    if (tls->priority != NULL) gnutls_priority_deinit(tls->priority);
    free(tls);
}

void bq_tls_set_key_log(bq_tls *tls, void (*write)(void *owner, const char *line, size_t length), void *owner) {
    tls->key_log = write;
    tls->key_log_owner = owner;
}

// MARK: Sessions

static bq_conn *conn_of(gnutls_session_t session) {
    // The reference is the first member of the connection.
    return (bq_conn *)gnutls_session_get_ptr(session);
}

static int key_log(gnutls_session_t session, const char *label, const gnutls_datum_t *secret) {
    bq_tls *tls = conn_of(session)->tls;
    gnutls_datum_t random, ignored;
    char line[64 + 2 * 32 + 2 * 64 + 3];
    char client[2 * 32 + 1], value[2 * 64 + 1];
    size_t client_size = sizeof(client), value_size = sizeof(value);
    gnutls_session_get_random(session, &random, &ignored);
    if (gnutls_hex_encode(&random, client, &client_size) != 0) return 0;
    if (gnutls_hex_encode(secret, value, &value_size) != 0) return 0;
    int length = snprintf(line, sizeof(line), "%s %s %s", label, client, value);
    if (length > 0 && (size_t)length < sizeof(line)) tls->key_log(tls->key_log_owner, line, (size_t)length);
    return 0;
}

/// RFC 9001 8.1: without an agreed protocol the handshake ends with no_application_protocol.
static int check_alpn(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                      const gnutls_datum_t *message) {
    (void)type, (void)when, (void)incoming, (void)message;
    gnutls_datum_t protocol;
    if (gnutls_alpn_get_selected_protocol(session, &protocol) != 0) return GNUTLS_E_NO_APPLICATION_PROTOCOL;
    return 0;
}

static int set_alpn(gnutls_session_t session, const uint8_t *alpn, size_t length, int is_server) {
    gnutls_datum_t protocols[16];
    unsigned count = 0;
    for (size_t at = 0; at < length && count < 16; at += 1 + alpn[at]) {
        if (at + 1 + alpn[at] > length) return GNUTLS_E_INVALID_REQUEST;
        protocols[count].data = (unsigned char *)alpn + at + 1;
        protocols[count].size = alpn[at];
        count += 1;
    }
    unsigned flags = GNUTLS_ALPN_MANDATORY | (is_server ? GNUTLS_ALPN_SERVER_PRECEDENCE : 0);
    return gnutls_alpn_set_protocols(session, protocols, count, flags);
}

static int is_ip_address(const char *name) {
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static int set_up_client(bq_conn *conn) {
    // An IP address is checked against the certificate's addresses, but is no SNI (RFC 6066 3).
    gnutls_session_set_verify_cert(conn->session, conn->server_name, 0);
    if (is_ip_address(conn->server_name)) return 0;
    return gnutls_server_name_set(conn->session, GNUTLS_NAME_DNS, conn->server_name, strlen(conn->server_name));
}

static int set_up_server(bq_conn *conn) {
    gnutls_handshake_set_hook_function(conn->session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST, check_alpn);
    if (!conn->tls->wants_client_certificate) return 0;
    gnutls_certificate_server_set_request(conn->session, GNUTLS_CERT_REQUIRE);
    gnutls_session_set_verify_cert(conn->session, NULL, 0);
    return 0;
}

int bq_session_new(bq_conn *conn, const uint8_t *alpn, size_t alpn_length) {
    int is_server = conn->tls->is_server;
    unsigned flags = GNUTLS_NO_END_OF_EARLY_DATA;
    // A client shows its certificate whatever authorities the server hints at: there is only the one.
    // Half the key shares of a client are never used: X25519 alone is what every server takes.
    flags |= is_server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP | GNUTLS_FORCE_CLIENT_CERT;
    int code = gnutls_init(&conn->session, flags);
    if (code != 0) return code;
    code = gnutls_priority_set(conn->session, conn->tls->priority);
    if (code == 0) {
        int failed = is_server ? ngtcp2_crypto_gnutls_configure_server_session(conn->session)
                               : ngtcp2_crypto_gnutls_configure_client_session(conn->session);
        if (failed != 0) code = GNUTLS_E_INTERNAL_ERROR;
    }
    if (code == 0) code = gnutls_credentials_set(conn->session, GNUTLS_CRD_CERTIFICATE, conn->tls->credentials);
    if (code == 0) code = set_alpn(conn->session, alpn, alpn_length, is_server);
    if (code == 0) code = is_server ? set_up_server(conn) : set_up_client(conn);
    if (code == 0) {
        gnutls_session_set_ptr(conn->session, &conn->ref);
        if (conn->tls->key_log != NULL) gnutls_session_set_keylog_function(conn->session, key_log);
    }
    return code;
}

// MARK: What the peer showed

bq_cert_fault bq_conn_cert_fault(bq_conn *conn, char *why, size_t why_size) {
    unsigned count = 0;
    if (why_size > 0) why[0] = 0;
    if (gnutls_certificate_get_peers(conn->session, &count) == NULL || count == 0) return BQ_CERT_MISSING;
    unsigned status = gnutls_session_get_verify_cert_status(conn->session);
    if (status == 0) return BQ_CERT_FINE;
    gnutls_datum_t text;
    if (gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) == 0) {
        snprintf(why, why_size, "%s", (const char *)text.data);
        gnutls_free(text.data);
    }
    if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA)) return BQ_CERT_NOT_TRUSTED;
    if (status & GNUTLS_CERT_EXPIRED) return BQ_CERT_EXPIRED;
    if (status & GNUTLS_CERT_NOT_ACTIVATED) return BQ_CERT_NOT_YET_VALID;
    if (status & GNUTLS_CERT_UNEXPECTED_OWNER) return BQ_CERT_WRONG_NAME;
    return BQ_CERT_UNACCEPTABLE;
}

size_t bq_conn_cert_count(bq_conn *conn) {
    unsigned count = 0;
    return gnutls_certificate_get_peers(conn->session, &count) == NULL ? 0 : count;
}

/// The caller frees it with `gnutls_x509_crt_deinit`.
static int certificate(bq_conn *conn, size_t index, gnutls_x509_crt_t *crt) {
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(conn->session, &count);
    if (chain == NULL || index >= count || gnutls_x509_crt_init(crt) != 0) return 0;
    if (gnutls_x509_crt_import(*crt, &chain[index], GNUTLS_X509_FMT_DER) != 0) {
        gnutls_x509_crt_deinit(*crt);
        return 0;
    }
    return 1;
}

static int key_text(gnutls_x509_crt_t crt, char *text, size_t size) {
    unsigned bits = 0;
    int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    if (algorithm < 0) return 0;
    const char *name = gnutls_pk_get_name((gnutls_pk_algorithm_t)algorithm);
    snprintf(text, size, "%s %u", name == NULL ? "unknown" : name, bits);
    return 1;
}

int bq_conn_cert_text(bq_conn *conn, size_t index, bq_cert_text which, char *text, size_t size) {
    gnutls_x509_crt_t crt;
    if (!certificate(conn, index, &crt)) return 0;
    int found = 0;
    if (which == BQ_CERT_KEY) {
        found = key_text(crt, text, size);
    } else {
        gnutls_datum_t name;
        int code = which == BQ_CERT_SUBJECT ? gnutls_x509_crt_get_dn3(crt, &name, 0)
                                            : gnutls_x509_crt_get_issuer_dn3(crt, &name, 0);
        if (code == 0) {
            snprintf(text, size, "%.*s", (int)name.size, (const char *)name.data);
            gnutls_free(name.data);
            found = 1;
        }
    }
    gnutls_x509_crt_deinit(crt);
    return found;
}

int bq_conn_cert_name(bq_conn *conn, size_t index, size_t name_index, char *text, size_t size) {
    gnutls_x509_crt_t crt;
    if (!certificate(conn, index, &crt)) return 0;
    char name[256];
    size_t length = sizeof(name);
    int type = gnutls_x509_crt_get_subject_alt_name(crt, (unsigned)name_index, name, &length, NULL);
    gnutls_x509_crt_deinit(crt);
    if (type == GNUTLS_E_SHORT_MEMORY_BUFFER) return snprintf(text, size, "(a very long name)") > 0;
    if (type < 0) return 0;
    if (type == GNUTLS_SAN_IPADDRESS) {
        int family = length == 16 ? AF_INET6 : AF_INET;
        if (length != 4 && length != 16) return snprintf(text, size, "(a malformed address)") > 0;
        return inet_ntop(family, name, text, (socklen_t)size) != NULL;
    }
    snprintf(text, size, "%.*s", (int)length, name);
    return 1;
}

int bq_conn_cert_validity(bq_conn *conn, size_t index, int64_t *not_before, int64_t *not_after) {
    gnutls_x509_crt_t crt;
    if (!certificate(conn, index, &crt)) return 0;
    *not_before = (int64_t)gnutls_x509_crt_get_activation_time(crt);
    *not_after = (int64_t)gnutls_x509_crt_get_expiration_time(crt);
    gnutls_x509_crt_deinit(crt);
    return 1;
}

int bq_conn_tls_text(bq_conn *conn, bq_tls_text which, char *text, size_t size) {
    const char *name = NULL;
    gnutls_datum_t protocol;
    switch (which) {
    case BQ_TLS_VERSION: {
        const char *version = gnutls_protocol_get_name(gnutls_protocol_get_version(conn->session));
        if (version == NULL) return 0;
        // GnuTLS says "TLS1.3".
        snprintf(text, size, "%s%s", strncmp(version, "TLS", 3) == 0 ? "TLS " : "", version + 3);
        return 1;
    }
    case BQ_TLS_CIPHER: name = gnutls_cipher_get_name(gnutls_cipher_get(conn->session)); break;
    case BQ_TLS_GROUP: name = gnutls_group_get_name(gnutls_group_get(conn->session)); break;
    case BQ_TLS_ALPN:
        if (gnutls_alpn_get_selected_protocol(conn->session, &protocol) != 0) return 0;
        snprintf(text, size, "%.*s", (int)protocol.size, (const char *)protocol.data);
        return 1;
    }
    if (name == NULL) return 0;
    snprintf(text, size, "%s", name);
    return 1;
}

const char *bq_alert_name(uint8_t alert) {
    const char *name = gnutls_alert_get_name((gnutls_alert_description_t)alert);
    return name == NULL ? "unknown alert" : name;
}
