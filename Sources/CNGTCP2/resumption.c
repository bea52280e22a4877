/// Session tickets, and early data with its protection against replay.
#include "resumption.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In seconds. MQTT connections last long, and their only ticket is issued when they begin. RFC 8446 4.6.1 allows a
   week. */
static const int ticket_lifetime = 24 * 60 * 60;

/* How many tickets of one connection are taken, however many the peer sends. */
static const unsigned int maximum_tickets = 4;

// MARK: Servers

struct bridge_quic_anti_replay {
    gnutls_anti_replay_t handle;
    bridge_quic_remember remember;
    void *context;
};

/// GnuTLS's key is the time when its recording began, followed by the ClientHello's PSK binder. The binder alone stays
/// the same whenever the ClientHello is replayed.
static int remember_hello(void *pointer, time_t expires, const gnutls_datum_t *key, const gnutls_datum_t *data) {
    (void)expires;
    (void)data;
    const bridge_quic_anti_replay *replay = pointer;
    if (key->size < BRIDGE_QUIC_HELLO_ID_LENGTH) {
        return GNUTLS_E_DB_ERROR;
    }
    const uint8_t *id = key->data + key->size - BRIDGE_QUIC_HELLO_ID_LENGTH;
    return replay->remember(replay->context, id) ? 0 : GNUTLS_E_DB_ENTRY_EXISTS;
}

bridge_quic_anti_replay *bridge_quic_anti_replay_new(uint32_t window, bridge_quic_remember remember, void *context) {
    bridge_quic_anti_replay *replay = calloc(1, sizeof(*replay));
    if (!replay || gnutls_anti_replay_init(&replay->handle) != 0) {
        free(replay);
        return NULL;
    }
    replay->remember = remember;
    replay->context = context;
    gnutls_anti_replay_set_window(replay->handle, window);
    gnutls_anti_replay_set_ptr(replay->handle, replay);
    gnutls_anti_replay_set_add_function(replay->handle, remember_hello);
    return replay;
}

void bridge_quic_anti_replay_free(bridge_quic_anti_replay *replay) {
    if (replay) {
        gnutls_anti_replay_deinit(replay->handle);
        free(replay);
    }
}

static int mix(gnutls_hmac_hd_t hash, const void *bytes, size_t length) {
    const uint64_t size = length;
    int error = gnutls_hmac(hash, &size, sizeof(size));
    return error == 0 ? gnutls_hmac(hash, bytes, length) : error;
}

/// The master key for tickets under this server's current configuration. A ticket must not outlive the configuration
/// that it was issued under: early data relies on the limits of that time (RFC 9000 7.4.1) and on the protocol, and the
/// client's certificate is not requested again.
static int derive_ticket_key(const bridge_quic_settings *settings, const bridge_quic_credentials *credentials,
                             uint8_t *key) {
    const uint64_t values[] = {
        settings->max_data,
        settings->max_stream_data,
        settings->max_bidi_streams,
        settings->active_connection_id_limit,
        settings->require_client_certificate,
    };
    gnutls_hmac_hd_t hash;
    int error = gnutls_hmac_init(&hash, GNUTLS_MAC_SHA512, settings->ticket_key, BRIDGE_QUIC_TICKET_KEY_LENGTH);
    if (error != 0) {
        return error;
    }
    _Static_assert(BRIDGE_QUIC_TICKET_KEY_LENGTH == 64, "GnuTLS's length is that of SHA-512");
    if ((error = mix(hash, values, sizeof(values))) == 0 &&
        (error = mix(hash, settings->alpn, settings->alpn_length)) == 0) {
        error = mix(hash, credentials->ca_digest, sizeof(credentials->ca_digest));
    }
    gnutls_hmac_deinit(hash, key);
    return error;
}

int bridge_enable_tickets(bridge_quic_connection *connection, const bridge_quic_settings *settings) {
    if (!settings->ticket_key) {
        return 0;
    }
    uint8_t bytes[BRIDGE_QUIC_TICKET_KEY_LENGTH];
    gnutls_datum_t key = {.data = bytes, .size = sizeof(bytes)};
    int error = derive_ticket_key(settings, connection->credentials, bytes);
    if (error == 0) {
        error = gnutls_session_ticket_enable_server(connection->session, &key);
    }
    gnutls_memset(bytes, 0, sizeof(bytes));
    if (error != 0) {
        return error;
    }
    connection->resumption.sends_tickets = true;
    gnutls_db_set_cache_expiration(connection->session, ticket_lifetime);
    if (!settings->anti_replay) {
        return 0;
    }
    gnutls_anti_replay_enable(connection->session, settings->anti_replay->handle);
    /* RFC 9001 4.6.1 allows only this value, because QUIC has limits of its own. */
    return gnutls_record_set_max_early_data_size(connection->session, UINT32_MAX);
}

void bridge_send_ticket(bridge_quic_connection *connection) {
    if (connection->resumption.sends_tickets) {
        /* A failure costs the client only its next short handshake. */
        (void)gnutls_session_ticket_send(connection->session, 1, 0);
    }
}

// MARK: Clients

/// Skips a field and the length before it, which has `width` bytes. False if there are fewer bytes left.
static bool skip(const uint8_t **at, size_t *left, size_t width) {
    size_t length = 0;
    if (*left < width) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        length = length << 8 | (*at)[i];
    }
    if (*left - width < length) {
        return false;
    }
    *at += width + length;
    *left -= width + length;
    return true;
}

/// Whether a NewSessionTicket has the extension early_data with the value of QUIC (RFC 8446 4.6.1, RFC 9001 4.6.1).
/// GnuTLS does not report it.
static bool allows_early_data(const gnutls_datum_t *message) {
    static const uint8_t wanted[] = {0, 42, 0, 4, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *at = message->data;
    size_t left = message->size;
    /* Lifetime and age_add, then the nonce and the ticket. */
    if (left < 8) {
        return false;
    }
    at += 8;
    left -= 8;
    if (!skip(&at, &left, 1) || !skip(&at, &left, 2) || left < 2) {
        return false;
    }
    at += 2;
    left -= 2;
    while (left >= sizeof(wanted)) {
        if (memcmp(at, wanted, sizeof(wanted)) == 0) {
            return true;
        }
        at += 2;
        left -= 2;
        if (!skip(&at, &left, 2)) {
            return false;
        }
    }
    return false;
}

/// The first field of a NewSessionTicket, in seconds; 0 if there is none. GnuTLS does not report it.
static uint32_t lifetime_of(const gnutls_datum_t *message) {
    const uint8_t *at = message->data;
    return message->size < 4 ? 0
                             : (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

/// Called before and after GnuTLS has read the message.
static int ticket_received(gnutls_session_t session, unsigned int type, unsigned int when, unsigned int incoming,
                           const gnutls_datum_t *message) {
    (void)type;
    bridge_quic_connection *connection = gnutls_session_get_ptr(session);
    uint8_t parameters[BRIDGE_QUIC_EARLY_PARAMETERS_CAPACITY];
    gnutls_datum_t data;
    if (!incoming || !connection->owner || connection->resumption.tickets_received >= maximum_tickets) {
        return 0;
    }
    if (when == GNUTLS_HOOK_PRE) {
        connection->resumption.ticket_allows_early_data = allows_early_data(message);
        connection->resumption.ticket_lifetime = lifetime_of(message);
        return 0;
    }
    connection->resumption.tickets_received++;
    if (connection->end.due != 0) {
        bridge_session_confirmed(connection);
    }
    size_t length = bridge_compat_encode_early_parameters(connection->conn, parameters, sizeof(parameters));
    if (length > 0 && gnutls_session_get_data2(session, &data) == 0) {
        const bridge_quic_ticket ticket = {
            .session = data.data,
            .session_length = data.size,
            .parameters = parameters,
            .parameters_length = length,
            .allows_early_data = connection->resumption.ticket_allows_early_data,
            .lifetime = connection->resumption.ticket_lifetime,
            .received_at = time(NULL),
        };
        connection->callbacks.ticket_received(connection->owner, &ticket);
        gnutls_memset(data.data, 0, data.size);
        gnutls_free(data.data);
    }
    return 0;
}

void bridge_resume(bridge_quic_connection *connection, const bridge_quic_settings *settings) {
    gnutls_handshake_set_hook_function(connection->session, GNUTLS_HANDSHAKE_NEW_SESSION_TICKET, GNUTLS_HOOK_BOTH,
                                       ticket_received);
    /* If the session cannot be used, there is a full handshake. */
    connection->resumption.has_session =
        settings->session &&
        gnutls_session_set_data(connection->session, settings->session, settings->session_length) == 0;
}

void bridge_allow_early_data(bridge_quic_connection *connection, const bridge_quic_settings *settings) {
    connection->resumption.offers_early_data =
        connection->resumption.has_session && settings->early_data &&
        bridge_compat_set_early_parameters(connection->conn, settings->early_parameters,
                                           settings->early_parameters_length);
}

void bridge_check_early_data(bridge_quic_connection *connection) {
    if (connection->resumption.offers_early_data && !bridge_quic_is_early_data_accepted(connection) &&
        bridge_compat_early_data_rejected(connection->conn) == 0 && connection->owner) {
        connection->callbacks.early_data_rejected(connection->owner);
    }
}

// MARK: The outcome

bool bridge_quic_is_resumed(const bridge_quic_connection *connection) {
    return connection->session ? gnutls_session_is_resumed(connection->session) != 0 : connection->end.is_resumed;
}

bool bridge_quic_is_early_data_accepted(const bridge_quic_connection *connection) {
    return connection->session ? (gnutls_session_get_flags(connection->session) & GNUTLS_SFLAGS_EARLY_DATA) != 0
                               : connection->end.is_early_data_accepted;
}
