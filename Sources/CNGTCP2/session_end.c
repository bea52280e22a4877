/// The end of the TLS session, which a QUIC connection outlives: QUIC updates its keys by itself (RFC 9001 6), so that
/// after the handshake TLS only ever brings tickets. The session with its certificates and keys is 11 KB per
/// connection, and connections last for days.
#include "session_end.h"

#include <stdlib.h>
#include <string.h>

/* How long a client waits for its first ticket after the handshake was confirmed. Tickets come within a round trip,
   unless they are lost. */
static const uint64_t patience = 10 * NGTCP2_SECONDS;
/* How long after one ticket it waits for another: some servers send several, in datagrams of their own. */
static const uint64_t grace = 500 * NGTCP2_MILLISECONDS;

enum { message_header_length = 4, alert_unexpected_message = 10 };

/// Follows the messages after the handshake, of which GnuTLS may have read the beginning of the last one. False if one
/// is not allowed: QUIC allows only tickets (RFC 9001 4.4, 6), and only from servers.
static bool follow_messages(bridge_session_end *end, bool is_server, const uint8_t *data, size_t length) {
    while (length > 0) {
        if (end->message_left > 0) {
            size_t taken = length < end->message_left ? length : end->message_left;
            end->message_left -= (uint32_t)taken;
            data += taken;
            length -= taken;
            continue;
        }
        if (end->header_length == 0 && (is_server || *data != GNUTLS_HANDSHAKE_NEW_SESSION_TICKET)) {
            return false;
        }
        end->header[end->header_length++] = *data++;
        length--;
        if (end->header_length == message_header_length) {
            end->message_left =
                (uint32_t)end->header[1] << 16 | (uint32_t)end->header[2] << 8 | (uint32_t)end->header[3];
            end->header_length = 0;
        }
    }
    return true;
}

int bridge_recv_crypto_data(ngtcp2_conn *conn, bridge_compat_level level, uint64_t offset, const uint8_t *data,
                            size_t length, void *user_data) {
    bridge_quic_connection *connection = user_data;
    bool is_allowed = true;
    if (level == BRIDGE_COMPAT_LEVEL_APPLICATION) {
        is_allowed = follow_messages(&connection->end, connection->is_server, data, length);
    }
    if (connection->session) {
        return ngtcp2_crypto_recv_crypto_data_cb(conn, level, offset, data, length, user_data);
    }
    /* Repeated bytes never get here. New ones of the handshake cannot belong to one that has completed. */
    if (!is_allowed || level != BRIDGE_COMPAT_LEVEL_APPLICATION) {
        ngtcp2_conn_set_tls_alert(conn, alert_unexpected_message);
        return NGTCP2_ERR_CRYPTO;
    }
    return 0;
}

void bridge_session_confirmed(bridge_quic_connection *connection) {
    uint64_t wait = connection->resumption.tickets_received == 0 ? patience : grace;
    connection->end.due = connection->clock.now + (connection->is_server ? 0 : wait);
}

uint64_t bridge_session_end_due(const bridge_quic_connection *connection) {
    return connection->session && connection->end.due != 0 ? connection->end.due : UINT64_MAX;
}

/// Copies the peer's certificates if the owner wants to see them later. Fewer remain if there is no memory.
static void keep_certificates(bridge_quic_connection *connection) {
    unsigned int count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(connection->session, &count);
    if (!connection->end.keeps_certificates || !chain || count == 0) {
        return;
    }
    connection->end.certificates = calloc(count, sizeof(*connection->end.certificates));
    while (connection->end.certificates && connection->end.certificate_count < count) {
        const gnutls_datum_t *from = &chain[connection->end.certificate_count];
        gnutls_datum_t *to = &connection->end.certificates[connection->end.certificate_count];
        to->data = malloc(from->size);
        if (!to->data) {
            return;
        }
        memcpy(to->data, from->data, from->size);
        to->size = from->size;
        connection->end.certificate_count++;
    }
}

void bridge_session_end_if_due(bridge_quic_connection *connection) {
    bridge_session_end *end = &connection->end;
    if (connection->clock.now < bridge_session_end_due(connection)) {
        return;
    }
    /* GnuTLS may be in the middle of a ticket; then the session goes later. */
    if (end->message_left > 0 || end->header_length > 0) {
        end->due = connection->clock.now + patience;
        return;
    }
    end->cipher = gnutls_cipher_get(connection->session);
    end->group = gnutls_group_get(connection->session);
    end->is_resumed = bridge_quic_is_resumed(connection);
    end->is_early_data_accepted = bridge_quic_is_early_data_accepted(connection);
    keep_certificates(connection);
    ngtcp2_conn_set_tls_native_handle(connection->conn, NULL);
    gnutls_deinit(connection->session);
    connection->session = NULL;
}

const gnutls_datum_t *bridge_peer_certificates(const bridge_quic_connection *connection, unsigned int *count) {
    if (connection->session) {
        return gnutls_certificate_get_peers(connection->session, count);
    }
    *count = connection->end.certificate_count;
    return connection->end.certificates;
}

void bridge_session_end_free(bridge_session_end *end) {
    for (unsigned int i = 0; i < end->certificate_count; i++) {
        free(end->certificates[i].data);
    }
    free(end->certificates);
}
