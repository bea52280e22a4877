/// The TLS session of a connection.
#include "resumption.h"
#include "verification.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bridge_quic_connection *connection_of(gnutls_session_t session) {
    return gnutls_session_get_ptr(session);
}

/// NSS key log format: label, client random, secret. Each line is one call to stdio, so lines of several threads do not
/// mix.
static int log_key(gnutls_session_t session, const char *label, const gnutls_datum_t *secret) {
    FILE *file = connection_of(session)->credentials->key_log;
    gnutls_datum_t client_random;
    gnutls_datum_t server_random;
    gnutls_session_get_random(session, &client_random, &server_random);
    char random_text[2 * 32 + 1] = {0};
    char secret_text[2 * 64 + 1] = {0};
    size_t random_size = sizeof(random_text);
    size_t secret_size = sizeof(secret_text);
    if (gnutls_hex_encode(&client_random, random_text, &random_size) == 0 &&
        gnutls_hex_encode(secret, secret_text, &secret_size) == 0) {
        fprintf(file, "%s %s %s\n", label, random_text, secret_text);
        fflush(file);
    }
    return 0;
}

/// Called when GnuTLS has read the ClientHello, before anything is answered.
static int check_client_hello(gnutls_session_t session, unsigned int type, unsigned int when, unsigned int incoming,
                              const gnutls_datum_t *message) {
    (void)type;
    (void)when;
    (void)incoming;
    (void)message;
    bridge_quic_connection *connection = connection_of(session);
    /* Required by RFC 9001 8.2. ngtcp2 0.12.1 notices a lack of them too late, and aborts the process. */
    if (!ngtcp2_conn_get_remote_transport_params(connection->conn)) {
        return GNUTLS_E_MISSING_EXTENSION;
    }
    return 0;
}

static int install_keys(bridge_quic_connection *connection, gnutls_record_encryption_level_t gnutls_level,
                        const void *rx, const void *tx, size_t length) {
    bridge_compat_level level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(gnutls_level);
    if (rx && ngtcp2_crypto_derive_and_install_rx_key(connection->conn, NULL, NULL, NULL, level, rx, length) != 0) {
        return -1;
    }
    if (tx && ngtcp2_crypto_derive_and_install_tx_key(connection->conn, NULL, NULL, NULL, level, tx, length) != 0) {
        return -1;
    }
    return 0;
}

/// Installs the secret of early data, but only once, because ngtcp2 aborts the process for a second one. A server's
/// secret waits for that of the handshake, with which ngtcp2 applies the transport parameters: GnuTLS has the early
/// secret ready even before a HelloRetryRequest.
static int install_early_secret(bridge_quic_connection *connection, const void *rx, const void *tx, size_t length) {
    if (connection->early_key.is_known || length > sizeof(connection->early_key.secret)) {
        return 0;
    }
    connection->early_key.is_known = true;
    if (!connection->is_server) {
        return install_keys(connection, GNUTLS_ENCRYPTION_LEVEL_EARLY, rx, tx, length);
    }
    if (rx) {
        memcpy(connection->early_key.secret, rx, length);
        connection->early_key.secret_length = length;
    }
    return 0;
}

/// Replaces ngtcp2's own function.
static int install_secret(gnutls_session_t session, gnutls_record_encryption_level_t level, const void *rx,
                          const void *tx, size_t length) {
    bridge_quic_connection *connection = connection_of(session);
    if (level == GNUTLS_ENCRYPTION_LEVEL_EARLY) {
        return install_early_secret(connection, rx, tx, length);
    }
    int error = install_keys(connection, level, rx, tx, length);
    if (error == 0 && tx && level == GNUTLS_ENCRYPTION_LEVEL_HANDSHAKE && connection->early_key.secret_length > 0) {
        error = install_keys(connection, GNUTLS_ENCRYPTION_LEVEL_EARLY, connection->early_key.secret, NULL,
                             connection->early_key.secret_length);
        gnutls_memset(connection->early_key.secret, 0, sizeof(connection->early_key.secret));
        connection->early_key.secret_length = 0;
    }
    return error;
}

/// The name without the dot of a fully qualified name and the zone of a link-local address, neither of which is in a
/// certificate.
static char *plain_name(const char *name) {
    size_t length = strcspn(name, "%");
    if (length > 1 && name[length - 1] == '.') {
        length--;
    }
    return strndup(name, length);
}

static int set_server_name(bridge_quic_connection *connection, const char *name) {
    connection->verification.host_name = plain_name(name);
    if (!connection->verification.host_name) {
        return GNUTLS_E_MEMORY_ERROR;
    }
    if (inet_pton(AF_INET, connection->verification.host_name, connection->verification.address) == 1) {
        connection->verification.address_length = 4;
        return 0;
    }
    if (inet_pton(AF_INET6, connection->verification.host_name, connection->verification.address) == 1) {
        connection->verification.address_length = 16;
        return 0;
    }
    size_t length = strlen(connection->verification.host_name);
    if (length == 0 || length > 253) {
        return GNUTLS_E_INVALID_REQUEST;
    }
    return gnutls_server_name_set(connection->session, GNUTLS_NAME_DNS, connection->verification.host_name, length);
}

static int set_alpn(gnutls_session_t session, const bridge_quic_settings *settings) {
    gnutls_datum_t names[16];
    unsigned int count = 0;
    size_t at = 0;
    while (at < settings->alpn_length && count < sizeof(names) / sizeof(names[0])) {
        size_t length = settings->alpn[at];
        if (length == 0 || settings->alpn_length - at - 1 < length) {
            return GNUTLS_E_INVALID_REQUEST;
        }
        names[count].data = (unsigned char *)settings->alpn + at + 1;
        names[count++].size = (unsigned int)length;
        at += 1 + length;
    }
    return gnutls_alpn_set_protocols(session, names, count, GNUTLS_ALPN_MANDATORY | GNUTLS_ALPN_SERVER_PRECEDENCE);
}

static int configure_server(bridge_quic_connection *connection, const bridge_quic_settings *settings) {
    gnutls_session_t session = connection->session;
    bool is_demanded = settings->require_client_certificate;
    gnutls_certificate_server_set_request(session, is_demanded ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    if (is_demanded) {
        gnutls_session_set_verify_function(session, bridge_verify_peer);
    }
    connection->verification.verifies_client = is_demanded;
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST, check_client_hello);
    return bridge_enable_tickets(connection, settings);
}

static int configure_client(bridge_quic_connection *connection, const bridge_quic_settings *settings, bool *bad_name) {
    gnutls_session_set_verify_function(connection->session, bridge_verify_peer);
    bridge_resume(connection, settings);
    int error = set_server_name(connection, settings->server_name);
    *bad_name = error != 0 && error != GNUTLS_E_MEMORY_ERROR;
    return error;
}

int bridge_tls_session_new(bridge_quic_connection *connection, const bridge_quic_settings *settings, bool *bad_name) {
    const bridge_quic_credentials *credentials = connection->credentials;
    /* A single key share, of the first group, saves a tenth of the handshake's work. The other groups cost one more
       round trip. */
    unsigned int role = connection->is_server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET
                                              : GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP;
    /* A client has at most one certificate, and sends it whichever authorities the server names. */
    role |= connection->is_server ? 0 : GNUTLS_FORCE_CLIENT_CERT;
    /* Makes GnuTLS offer early data by itself if the ticket allows it. */
    bool early_data = connection->is_server ? settings->ticket_key && settings->anti_replay : settings->early_data;
    role |= early_data ? GNUTLS_ENABLE_EARLY_DATA : 0;
    int error = gnutls_init(&connection->session, role | GNUTLS_NO_END_OF_EARLY_DATA);
    if (error != 0) {
        connection->session = NULL;
        return error;
    }
    gnutls_session_t session = connection->session;
    gnutls_session_set_ptr(session, &connection->reference);
    int configured = connection->is_server ? ngtcp2_crypto_gnutls_configure_server_session(session)
                                           : ngtcp2_crypto_gnutls_configure_client_session(session);
    if (configured != 0) {
        return GNUTLS_E_INTERNAL_ERROR;
    }
    gnutls_handshake_set_secret_function(session, install_secret);
    if ((error = gnutls_priority_set(session, credentials->priorities)) != 0 ||
        (error = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->certificates)) != 0 ||
        (error = set_alpn(session, settings)) != 0) {
        return error;
    }
    if (credentials->key_log) {
        gnutls_session_set_keylog_function(session, log_key);
    }
    return connection->is_server ? configure_server(connection, settings)
                                 : configure_client(connection, settings, bad_name);
}

// MARK: The outcome

uint8_t bridge_quic_tls_alert(bridge_quic_connection *connection) {
    return ngtcp2_conn_get_tls_alert(connection->conn);
}

const char *bridge_quic_tls_alert_name(uint8_t alert) {
    return gnutls_alert_get_name((gnutls_alert_description_t)alert);
}

const uint8_t *bridge_quic_alpn(const bridge_quic_connection *connection, size_t *length) {
    gnutls_datum_t name;
    if (!connection->session || gnutls_alpn_get_selected_protocol(connection->session, &name) != 0) {
        return NULL;
    }
    *length = name.size;
    return name.data;
}

static bool completed(const bridge_quic_connection *connection) {
    return ngtcp2_conn_get_handshake_completed(connection->conn) != 0;
}

const char *bridge_quic_tls_version(const bridge_quic_connection *connection) {
    /* The only version that `priority_string` enables. GnuTLS writes "TLS1.3". */
    return completed(connection) ? "TLS 1.3" : NULL;
}

const char *bridge_quic_tls_cipher(const bridge_quic_connection *connection) {
    if (!completed(connection)) {
        return NULL;
    }
    return gnutls_cipher_get_name(connection->session ? gnutls_cipher_get(connection->session)
                                                      : connection->end.cipher);
}

const char *bridge_quic_tls_group(const bridge_quic_connection *connection) {
    if (!completed(connection)) {
        return NULL;
    }
    return gnutls_group_get_name(connection->session ? gnutls_group_get(connection->session) : connection->end.group);
}
