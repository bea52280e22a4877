/// Making a connection, and the callbacks that it gets.
#ifndef BRIDGE_CREATION_H
#define BRIDGE_CREATION_H

#include "bridge_acceptance.h"
#include "bridge_credentials.h"

/// A ticket that a client received. `session` and `parameters` can be `session` and `early_parameters` in the settings
/// of a later connection.
typedef struct {
    const uint8_t *session;
    size_t session_length;
    const uint8_t *parameters;
    size_t parameters_length;
    bool allows_early_data;
    /// In seconds from `received_at`, according to the server.
    uint32_t lifetime;
    /// In seconds since 1970, by the clock from which GnuTLS derives the ticket's age.
    int64_t received_at;
} bridge_quic_ticket;

/// Called with the owner while a function of the connection runs. Pointers are valid only during the call.
typedef struct {
    void (*handshake_completed)(void *owner);
    void (*handshake_confirmed)(void *owner);
    void (*stream_opened)(void *owner, int64_t stream);
    void (*stream_data)(void *owner, int64_t stream, const uint8_t *bytes, size_t length, bool fin);
    void (*stream_acknowledged)(void *owner, int64_t stream, uint64_t length);
    void (*stream_credit)(void *owner, int64_t stream);
    void (*stream_reset)(void *owner, int64_t stream, uint64_t code);
    /// The peer sent STOP_SENDING. This may come several times, and also for streams that are not open.
    void (*stream_stopped)(void *owner, int64_t stream);
    /// `lost_packets`: how many packets with data of this stream were declared lost.
    void (*stream_closed)(void *owner, int64_t stream, uint64_t lost_packets);
    void (*streams_available)(void *owner);
    void (*connection_id_issued)(void *owner, const uint8_t *id, size_t length);
    void (*connection_id_retired)(void *owner, const uint8_t *id, size_t length);
    /// From now on, a datagram that ends in this token (16 bytes) is a stateless reset by the peer, or no longer is.
    void (*reset_token)(void *owner, const uint8_t *token, bool is_valid);
    void (*path_validated)(void *owner, const struct sockaddr *local, const struct sockaddr *remote, bool succeeded);
    void (*version_negotiation)(void *owner, const uint32_t *versions, size_t count);
    /// Clients only, and a few times per connection at most.
    void (*ticket_received)(void *owner, const bridge_quic_ticket *ticket);
    /// Clients only, before `handshake_completed`: all streams are gone, and their identifiers start again.
    void (*early_data_rejected)(void *owner);
} bridge_quic_callbacks;

typedef struct {
    /// ALPN in wire form, in order of preference: each name follows a byte with its length.
    const uint8_t *alpn;
    size_t alpn_length;
    uint64_t handshake_timeout;
    uint64_t idle_timeout;
    uint64_t max_data;
    uint64_t max_stream_data;
    /// What a stream's window grows to while the owner consumes a whole one within about two round trips.
    uint64_t max_stream_window;
    uint64_t max_bidi_streams;
    uint64_t active_connection_id_limit;
    /// Bytes of UDP payload.
    size_t max_datagram_size;
    size_t connection_id_length;
    /// The first bytes of every connection ID that this side issues. The others are random.
    const uint8_t *connection_id_prefix;
    size_t connection_id_prefix_length;
    bool path_mtu_discovery;
    /// BBR version 2 or later; otherwise Cubic.
    bool bbr;
    /// Whether the peer's certificates are needed after the handshake.
    bool keeps_peer_certificates;
    /// The longest time until a packet is acknowledged (RFC 9000 13.2.1). The peer's probe timeout contains it. In whole
    /// milliseconds, less than 2^14 of them.
    uint64_t max_ack_delay;
    /// Null: no qlog.
    const char *qlog_directory;
    /// Clients only: a host name or an IP literal.
    const char *server_name;
    /// Servers only.
    const bridge_quic_initial *initial;
    bool require_client_certificate;
    /// Servers only: stateless reset tokens are derived from it. `BRIDGE_QUIC_SECRET_LENGTH` bytes.
    const uint8_t *secret;
    /// Servers only: `BRIDGE_QUIC_TICKET_KEY_LENGTH` bytes. Null: no tickets.
    const uint8_t *ticket_key;
    /// Servers with a ticket key only. It must outlive the connection. Null: no early data.
    const bridge_quic_anti_replay *anti_replay;
    /// Clients only: what `ticket_received` got. Null: a full handshake. GnuTLS trusts these bytes.
    const uint8_t *session;
    size_t session_length;
    const uint8_t *early_parameters;
    size_t early_parameters_length;
    /// Clients only: streams may be opened before the handshake has completed.
    bool early_data;
} bridge_quic_settings;

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_CREATED BRIDGE_QUIC_SWIFT_NAME("created"),
    BRIDGE_QUIC_BAD_SERVER_NAME BRIDGE_QUIC_SWIFT_NAME("badServerName"),
    /// `error` has the library's number.
    BRIDGE_QUIC_NOT_CREATED BRIDGE_QUIC_SWIFT_NAME("notCreated"),
} bridge_quic_creation;

/// Makes a server's connection if `settings->initial` is set, otherwise a client's. All arguments are copied except the
/// credentials, which must outlive the connection. No callback is called before `bridge_quic_set_owner`.
bridge_quic_creation bridge_quic_connection_new(bridge_quic_connection **connection,
                                                const bridge_quic_settings *settings,
                                                const bridge_quic_credentials *credentials,
                                                const bridge_quic_callbacks *callbacks, bridge_quic_path path,
                                                uint64_t now, int *error);
void bridge_quic_set_owner(bridge_quic_connection *connection, void *owner);
/// The connection ID this side began with.
bridge_quic_cid bridge_quic_first_id(const bridge_quic_connection *connection);
/// Calls no callback.
void bridge_quic_connection_free(bridge_quic_connection *connection);

#endif
