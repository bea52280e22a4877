/// Making a connection, and what it calls.
#ifndef BRIDGE_CREATION_H
#define BRIDGE_CREATION_H

#include "bridge_acceptance.h"
#include "bridge_credentials.h"

/// A ticket, for a client. `session` and `parameters` are what `session` and `early_parameters` of a later connection's
/// settings may be.
typedef struct {
    const uint8_t *session;
    size_t session_length;
    const uint8_t *parameters;
    size_t parameters_length;
    bool allows_early_data;
    /// Seconds from `received_at` on, as the server says.
    uint32_t lifetime;
    /// Seconds since 1970, by the clock that GnuTLS reckons the ticket's age by.
    int64_t received_at;
} bridge_quic_ticket;

/// Called with the owner while a function of the connection runs. Pointers are valid during the call only.
typedef struct {
    void (*handshake_completed)(void *owner);
    void (*handshake_confirmed)(void *owner);
    void (*stream_opened)(void *owner, int64_t stream);
    void (*stream_data)(void *owner, int64_t stream, const uint8_t *bytes, size_t length, bool fin);
    void (*stream_acknowledged)(void *owner, int64_t stream, uint64_t length);
    void (*stream_credit)(void *owner, int64_t stream);
    void (*stream_reset)(void *owner, int64_t stream, uint64_t code);
    /// The peer sent STOP_SENDING. It may come again, and for streams that are not open, or no more.
    void (*stream_stopped)(void *owner, int64_t stream);
    /// `lost_packets`: how many packets with data of this stream were declared lost.
    void (*stream_closed)(void *owner, int64_t stream, uint64_t lost_packets);
    void (*streams_available)(void *owner);
    void (*connection_id_issued)(void *owner, const uint8_t *id, size_t length);
    void (*connection_id_retired)(void *owner, const uint8_t *id, size_t length);
    /// A stateless reset of the peer's is one that ends in this token (16 bytes), from now on or no more.
    void (*reset_token)(void *owner, const uint8_t *token, bool is_valid);
    void (*path_validated)(void *owner, const struct sockaddr *local, const struct sockaddr *remote, bool succeeded);
    void (*version_negotiation)(void *owner, const uint32_t *versions, size_t count);
    /// A client's, and a few times at most.
    void (*ticket_received)(void *owner, const bridge_quic_ticket *ticket);
    /// A client's, before `handshake_completed`: all streams are gone, and their identifiers begin anew.
    void (*early_data_rejected)(void *owner);
} bridge_quic_callbacks;

typedef struct {
    /// ALPN in wire form: each name behind a byte with its length. In order of preference.
    const uint8_t *alpn;
    size_t alpn_length;
    uint64_t handshake_timeout;
    uint64_t idle_timeout;
    uint64_t max_data;
    uint64_t max_stream_data;
    uint64_t max_bidi_streams;
    uint64_t active_connection_id_limit;
    /// Bytes of UDP payload.
    size_t max_datagram_size;
    size_t connection_id_length;
    /// The first byte of every connection ID this side issues; random where there is none.
    bool has_connection_id_prefix;
    uint8_t connection_id_prefix;
    bool path_mtu_discovery;
    bool bbr;
    /// Null: no qlog.
    const char *qlog_directory;
    /// A client's: host name or IP literal.
    const char *server_name;
    /// A server's.
    const bridge_quic_initial *initial;
    bool require_client_certificate;
    /// A server's: from which stateless reset tokens are derived, `BRIDGE_QUIC_SECRET_LENGTH` bytes.
    const uint8_t *secret;
    /// A server's: `BRIDGE_QUIC_TICKET_KEY_LENGTH` bytes. Null: no tickets.
    const uint8_t *ticket_key;
    /// A server's, beside a ticket key; must outlive the connection. Null: no early data.
    const bridge_quic_anti_replay *anti_replay;
    /// A client's: what `ticket_received` gave. Null: a full handshake. GnuTLS trusts these bytes.
    const uint8_t *session;
    size_t session_length;
    const uint8_t *early_parameters;
    size_t early_parameters_length;
    /// A client's: streams may be opened before the handshake.
    bool early_data;
} bridge_quic_settings;

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_CREATED BRIDGE_QUIC_SWIFT_NAME("created"),
    BRIDGE_QUIC_BAD_SERVER_NAME BRIDGE_QUIC_SWIFT_NAME("badServerName"),
    /// `error` has the library's number.
    BRIDGE_QUIC_NOT_CREATED BRIDGE_QUIC_SWIFT_NAME("notCreated"),
} bridge_quic_creation;

/// A server connection where `settings->initial` is set. Everything given is copied, the credentials apart, which must
/// outlive the connection. No callback is called before `bridge_quic_set_owner`.
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
