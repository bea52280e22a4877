/// A QUIC connection by ngtcp2 and GnuTLS, behind functions and types of our own. No layout, error number or macro of
/// either library goes through this header, so that one Swift source serves ngtcp2 0.12.1 and 1.x.
///
/// Rules of use: one caller at a time for each connection; no function of a connection is called from one of its
/// callbacks, `bridge_quic_consume` and plain getters apart; times are nanoseconds of one monotonic clock.
#ifndef CNGTCP2_H
#define CNGTCP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BRIDGE_QUIC_CLOSED_ENUM __attribute__((enum_extensibility(closed)))
#define BRIDGE_QUIC_SWIFT_NAME(name) __attribute__((swift_name(name)))
#define BRIDGE_QUIC_CID_CAPACITY 20
#define BRIDGE_QUIC_SECRET_LENGTH 32
#define BRIDGE_QUIC_WHY_CAPACITY 512
/// Of the master key of session tickets: GnuTLS's `TICKET_MASTER_KEY_SIZE`.
#define BRIDGE_QUIC_TICKET_KEY_LENGTH 64
/// Bytes that tell one ClientHello from another.
#define BRIDGE_QUIC_HELLO_ID_LENGTH 16
#define BRIDGE_QUIC_CA_DIGEST_LENGTH 32
/// Of SHA-256.
#define BRIDGE_QUIC_DIGEST_LENGTH 32

/// "0.12.1": the version of ngtcp2 found at run time.
const char *bridge_quic_library_version(void);
/// "3.7.9": that of GnuTLS.
const char *bridge_quic_tls_library_version(void);

/// Bytes fit for keys and connection IDs. Aborts where the system has none.
void bridge_quic_random(uint8_t *bytes, size_t length);

/// HMAC-SHA256 of the label under the key: `BRIDGE_QUIC_SECRET_LENGTH` bytes. False where GnuTLS fails.
bool bridge_quic_derive_secret(const uint8_t *key, size_t key_length, const uint8_t *label, size_t label_length,
                               uint8_t *secret);

/// `BRIDGE_QUIC_DIGEST_LENGTH` bytes. False where GnuTLS fails.
bool bridge_sha256(const uint8_t *bytes, size_t length, uint8_t *digest);

// MARK: Passwords

/// PBKDF2 (RFC 8018 5.2) with HMAC-SHA-512. False where GnuTLS refuses: no iterations, or a policy of the system.
bool bridge_pbkdf2_sha512(const uint8_t *password, size_t password_length, const uint8_t *salt, size_t salt_length,
                          uint32_t iterations, uint8_t *output, size_t output_length);
/// Takes the same time wherever the first difference is.
bool bridge_equal_in_constant_time(const uint8_t *left, const uint8_t *right, size_t length);

// MARK: Certificates and keys

/// CA certificates, own certificate and key, key log: loaded once, then only read, so shared by any thread.
typedef struct bridge_quic_credentials bridge_quic_credentials;

/// Null where memory is out.
bridge_quic_credentials *bridge_quic_credentials_new(void);
void bridge_quic_credentials_free(bridge_quic_credentials *credentials);

/// The functions below return false with the reason, a text ending in NUL, in `why` (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bool bridge_quic_credentials_load_ca(bridge_quic_credentials *credentials, const char *path, char *why);
/// `key_at_fault` tells whether the reason is about the key file rather than the certificate file.
bool bridge_quic_credentials_load_key_pair(bridge_quic_credentials *credentials, const char *certificate_path,
                                           const char *key_path, bool *key_at_fault, char *why);
/// NSS key log format, appended to; created readable by its owner only.
bool bridge_quic_credentials_open_key_log(bridge_quic_credentials *credentials, const char *path, char *why);

/// SHA-256 over the CA files loaded, in order; zeros where there is none. `BRIDGE_QUIC_CA_DIGEST_LENGTH` bytes.
const uint8_t *bridge_quic_credentials_ca_digest(const bridge_quic_credentials *credentials);

// MARK: Early data

/// What one span of a server's life knows of early data. A ClientHello that GnuTLS takes for new and fresh is given to
/// `remember`, from any thread.
typedef struct bridge_quic_anti_replay bridge_quic_anti_replay;

/// False where the id (`BRIDGE_QUIC_HELLO_ID_LENGTH` bytes) was there already or there is no room: early data is refused.
typedef bool (*bridge_quic_remember)(void *context, const uint8_t *id);

/// GnuTLS refuses early data under tickets of before this call, and of clients whose idea of the ticket's age is off by
/// more than `window` (milliseconds): for so long an id has to be remembered. It must not be used for connections that
/// are made later than that, as GnuTLS would begin anew then. Null where memory is out.
bridge_quic_anti_replay *bridge_quic_anti_replay_new(uint32_t window, bridge_quic_remember remember, void *context);
void bridge_quic_anti_replay_free(bridge_quic_anti_replay *replay);

// MARK: Connections

typedef struct bridge_quic_connection bridge_quic_connection;

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_OK BRIDGE_QUIC_SWIFT_NAME("ok"),
    /// Room is left in the packet: more stream data may be written into it.
    BRIDGE_QUIC_WRITE_MORE BRIDGE_QUIC_SWIFT_NAME("writeMore"),
    /// The peer's credit for the stream is used up; `stream_credit` tells when there is more.
    BRIDGE_QUIC_STREAM_BLOCKED BRIDGE_QUIC_SWIFT_NAME("streamBlocked"),
    /// The stream's sending side is shut: the peer asked for it, or this side did.
    BRIDGE_QUIC_STREAM_SHUT BRIDGE_QUIC_SWIFT_NAME("streamShut"),
    BRIDGE_QUIC_STREAM_UNKNOWN BRIDGE_QUIC_SWIFT_NAME("streamUnknown"),
    /// The peer allows no further stream now.
    BRIDGE_QUIC_STREAM_LIMIT BRIDGE_QUIC_SWIFT_NAME("streamLimit"),
    /// CONNECTION_CLOSE has been sent.
    BRIDGE_QUIC_CLOSING BRIDGE_QUIC_SWIFT_NAME("closing"),
    /// The peer sent CONNECTION_CLOSE or a stateless reset.
    BRIDGE_QUIC_DRAINING BRIDGE_QUIC_SWIFT_NAME("draining"),
    /// The connection must be dropped without a word.
    BRIDGE_QUIC_DROP BRIDGE_QUIC_SWIFT_NAME("drop"),
    BRIDGE_QUIC_IDLE BRIDGE_QUIC_SWIFT_NAME("idle"),
    BRIDGE_QUIC_HANDSHAKE_TIMEOUT BRIDGE_QUIC_SWIFT_NAME("handshakeTimeout"),
    /// The server sent a Version Negotiation packet without our version.
    BRIDGE_QUIC_VERSION_MISMATCH BRIDGE_QUIC_SWIFT_NAME("versionMismatch"),
    /// TLS failed; `bridge_quic_tls_alert` and `bridge_quic_verdict_of` tell more.
    BRIDGE_QUIC_TLS_FAILED BRIDGE_QUIC_SWIFT_NAME("tlsFailed"),
    /// Not allowed in the connection's state; nothing has changed.
    BRIDGE_QUIC_NOT_NOW BRIDGE_QUIC_SWIFT_NAME("notNow"),
    /// Anything else. `bridge_quic_last_error` has ngtcp2's number; the connection is to be closed.
    BRIDGE_QUIC_FAILED BRIDGE_QUIC_SWIFT_NAME("failed"),
} bridge_quic_status;

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
    uint8_t bytes[BRIDGE_QUIC_CID_CAPACITY];
    size_t length;
} bridge_quic_cid;

typedef struct {
    const struct sockaddr *local;
    const struct sockaddr *remote;
    socklen_t local_length;
    socklen_t remote_length;
} bridge_quic_path;

/// What a client's first packet told, once `bridge_quic_accept` has checked it.
typedef struct {
    uint32_t version;
    bridge_quic_cid dcid;
    bridge_quic_cid scid;
    /// Points into the datagram.
    const uint8_t *token;
    size_t token_length;
    /// The client's very first destination connection ID: `dcid`, or what the Retry token says.
    bridge_quic_cid original_dcid;
    /// Whether the client came back with the token of a Retry.
    bool after_retry;
} bridge_quic_initial;

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

/// `ecn`: the two ECN bits of the IP header.
bridge_quic_status bridge_quic_read(bridge_quic_connection *connection, bridge_quic_path path, uint8_t ecn,
                                    const uint8_t *bytes, size_t length, uint64_t now);
bridge_quic_status bridge_quic_handle_expiry(bridge_quic_connection *connection, uint64_t now);
/// UINT64_MAX: never.
uint64_t bridge_quic_expiry(bridge_quic_connection *connection);
/// Whether the datagram last read had a packet that only the peer can have made.
bool bridge_quic_has_read_packet(const bridge_quic_connection *connection);

/// Has the next `bridge_quic_write` send a PING where it has nothing else. Only once the handshake is confirmed; the
/// congestion window, where it is full, keeps it back.
void bridge_quic_ping(bridge_quic_connection *connection, uint64_t now);
/// Nothing but acknowledgements and probes may go out now.
bool bridge_quic_is_window_full(bridge_quic_connection *connection);
/// Lets ngtcp2's time run ahead of the caller's to its next deadline, whatever that is, and handles it. False where that
/// would bring the idle timeout nearer than `reserve`. Only once the handshake is confirmed. A packet that was sent
/// before and is acknowledged after it counts as so much longer under way.
bool bridge_quic_run_ahead(bridge_quic_connection *connection, uint64_t reserve, uint64_t now,
                           bridge_quic_status *status);

typedef struct {
    const uint8_t *base;
    size_t length;
} bridge_quic_slice;

#define BRIDGE_QUIC_MAX_SLICES 16

typedef struct {
    bridge_quic_status status;
    /// Bytes of a finished datagram; 0: none.
    size_t length;
    /// Bytes of the stream that went into the packet; -1: the stream was not written to.
    int64_t accepted;
    uint8_t ecn;
    /// The datagram goes another path than the one before; `bridge_quic_written_path` has it. True for the first.
    bool path_changed;
    /// The peer has to answer the datagram with one of its own, once it arrives. False for a probe of path MTU discovery.
    bool awaits_answer;
} bridge_quic_written;

/// Writes the next datagram. `stream` is -1 where no stream has data. With `more`, the packet stays open while room is
/// left (BRIDGE_QUIC_WRITE_MORE); the sequence must be ended with the same buffer and time before any other call. No
/// slice is empty; the bytes stay where they are until acknowledged.
bridge_quic_written bridge_quic_write(bridge_quic_connection *connection, uint8_t *buffer, size_t capacity,
                                      int64_t stream, bool fin, bool more, const bridge_quic_slice *slices,
                                      size_t count, uint64_t now);
/// To be called when `bridge_quic_write` has written nothing: what it wrote before goes out now. `has_more`: something
/// waits to be sent all the same.
void bridge_quic_burst_over(bridge_quic_connection *connection, bool has_more, uint64_t now);
/// Until when nothing but acknowledgements may go out, as far as that is known; 0, or a time that is past: at once.
uint64_t bridge_quic_pause_end(const bridge_quic_connection *connection);

/// The path of the datagram last written.
bridge_quic_path bridge_quic_written_path(const bridge_quic_connection *connection);

bridge_quic_status bridge_quic_open_stream(bridge_quic_connection *connection, int64_t *stream);
/// Bidirectional streams that the peer lets us open now.
uint64_t bridge_quic_streams_left(bridge_quic_connection *connection);
void bridge_quic_consume(bridge_quic_connection *connection, int64_t stream, uint64_t length);
bridge_quic_status bridge_quic_reset_stream(bridge_quic_connection *connection, int64_t stream, uint64_t code);
/// The peer's credit for the connection is used up. ngtcp2 does not name that where it takes nothing of a stream, and
/// does not tell when there is more.
bool bridge_quic_is_out_of_credit(bridge_quic_connection *connection);
uint64_t bridge_quic_stream_losses(bridge_quic_connection *connection, int64_t stream);

/// Only once the handshake is confirmed.
void bridge_quic_set_keep_alive(bridge_quic_connection *connection, uint64_t interval);
bridge_quic_status bridge_quic_update_key(bridge_quic_connection *connection, uint64_t now);
bridge_quic_status bridge_quic_migrate(bridge_quic_connection *connection, bridge_quic_path path, uint64_t now);

// MARK: Ends

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_CLOSE_TRANSPORT BRIDGE_QUIC_SWIFT_NAME("transport"),
    BRIDGE_QUIC_CLOSE_APPLICATION BRIDGE_QUIC_SWIFT_NAME("application"),
    /// For the error of the last call that failed; `code` is not used.
    BRIDGE_QUIC_CLOSE_LAST_ERROR BRIDGE_QUIC_SWIFT_NAME("lastError"),
    /// `code` is a TLS alert.
    BRIDGE_QUIC_CLOSE_TLS_ALERT BRIDGE_QUIC_SWIFT_NAME("tlsAlert"),
} bridge_quic_close_kind;

/// Writes a CONNECTION_CLOSE. Length 0 where none can be sent.
bridge_quic_written bridge_quic_write_close(bridge_quic_connection *connection, bridge_quic_close_kind kind,
                                            uint64_t code, const uint8_t *reason, size_t reason_length,
                                            uint8_t *buffer, size_t capacity, uint64_t now);

typedef struct {
    bool is_application;
    bool is_stateless_reset;
    uint64_t code;
    /// Valid until the connection is freed.
    const uint8_t *reason;
    size_t reason_length;
} bridge_quic_remote_close;

bridge_quic_remote_close bridge_quic_remote_close_of(bridge_quic_connection *connection);
int bridge_quic_last_error(const bridge_quic_connection *connection);
/// The transport error code (RFC 9000 20.1) that the last error is told to the peer with.
uint64_t bridge_quic_last_error_code(const bridge_quic_connection *connection);
const char *bridge_quic_error_text(int error);
/// What holds of both sides' idle timeouts (RFC 9000 10.1), nanoseconds; 0: none.
uint64_t bridge_quic_idle_timeout(bridge_quic_connection *connection);
/// The probe timeout (RFC 9002 6.2), nanoseconds.
uint64_t bridge_quic_pto(bridge_quic_connection *connection);

// MARK: Figures

typedef struct {
    uint64_t smoothed_rtt;
    uint64_t min_rtt;
    uint64_t latest_rtt;
    uint64_t congestion_window;
    uint64_t bytes_in_flight;
    size_t datagram_size;
} bridge_quic_stats;

bridge_quic_stats bridge_quic_stats_of(bridge_quic_connection *connection);

// MARK: TLS

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    /// Verified, or not come to.
    BRIDGE_QUIC_VERDICT_NONE BRIDGE_QUIC_SWIFT_NAME("none"),
    BRIDGE_QUIC_VERDICT_NO_CERTIFICATE BRIDGE_QUIC_SWIFT_NAME("noCertificate"),
    BRIDGE_QUIC_VERDICT_NOT_TRUSTED BRIDGE_QUIC_SWIFT_NAME("notTrusted"),
    BRIDGE_QUIC_VERDICT_EXPIRED BRIDGE_QUIC_SWIFT_NAME("expired"),
    BRIDGE_QUIC_VERDICT_NOT_YET_VALID BRIDGE_QUIC_SWIFT_NAME("notYetValid"),
    BRIDGE_QUIC_VERDICT_WRONG_NAME BRIDGE_QUIC_SWIFT_NAME("wrongName"),
    BRIDGE_QUIC_VERDICT_UNACCEPTABLE BRIDGE_QUIC_SWIFT_NAME("unacceptable"),
} bridge_quic_verdict;

/// What came of checking the peer's certificate. `at_fault`: the index in its chain of the certificate that it is
/// about. `why`: GnuTLS's words, `BRIDGE_QUIC_WHY_CAPACITY` bytes.
bridge_quic_verdict bridge_quic_verdict_of(const bridge_quic_connection *connection, size_t *at_fault, char *why);
/// The alert this side raised, 0 for none.
uint8_t bridge_quic_tls_alert(bridge_quic_connection *connection);
/// "Handshake failed"; null where GnuTLS has no name for it.
const char *bridge_quic_tls_alert_name(uint8_t alert);

/// Null before it has been negotiated. Not ending in NUL.
const uint8_t *bridge_quic_alpn(const bridge_quic_connection *connection, size_t *length);
/// Null before the handshake has completed.
const char *bridge_quic_tls_version(const bridge_quic_connection *connection);
const char *bridge_quic_tls_cipher(const bridge_quic_connection *connection);
const char *bridge_quic_tls_group(const bridge_quic_connection *connection);

/// Whether a ticket stood in for the certificates.
bool bridge_quic_is_resumed(const bridge_quic_connection *connection);
/// Of a server from the ClientHello on, of a client once the handshake has completed.
bool bridge_quic_is_early_data_accepted(const bridge_quic_connection *connection);

typedef struct {
    char *subject;
    char *issuer;
    /// One a line.
    char *names;
    char *key;
    int64_t not_before;
    int64_t not_after;
} bridge_quic_certificate;

/// The peer's certificate at the index, its own being 0. False where there is none.
bool bridge_quic_peer_certificate(const bridge_quic_connection *connection, size_t index,
                                  bridge_quic_certificate *certificate);
void bridge_quic_certificate_free(bridge_quic_certificate *certificate);

/// The certificates of a PEM file in its order, to be freed with the function below. Null where there are none, with the
/// reason in `why` (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bridge_quic_certificate *bridge_quic_certificates_of_file(const char *path, size_t *count, char *why);
void bridge_quic_certificates_free(bridge_quic_certificate *certificates, size_t count);

// MARK: Datagrams that belong to no connection

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_ACCEPT_INITIAL BRIDGE_QUIC_SWIFT_NAME("initial"),
    /// A version that is not spoken here, in a datagram large enough for an answer.
    BRIDGE_QUIC_ACCEPT_OTHER_VERSION BRIDGE_QUIC_SWIFT_NAME("otherVersion"),
    /// A short header, perhaps of a connection that was lost.
    BRIDGE_QUIC_ACCEPT_SHORT BRIDGE_QUIC_SWIFT_NAME("short"),
    BRIDGE_QUIC_ACCEPT_IGNORE BRIDGE_QUIC_SWIFT_NAME("ignore"),
} bridge_quic_acceptance;

typedef struct {
    const uint8_t *dcid;
    size_t dcid_length;
    const uint8_t *scid;
    size_t scid_length;
} bridge_quic_long_ids;

/// `initial` is filled for BRIDGE_QUIC_ACCEPT_INITIAL, `ids` (pointing into the datagram) for
/// BRIDGE_QUIC_ACCEPT_OTHER_VERSION.
bridge_quic_acceptance bridge_quic_accept(const uint8_t *bytes, size_t length, bridge_quic_initial *initial,
                                          bridge_quic_long_ids *ids);

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    /// None, or not one of a Retry.
    BRIDGE_QUIC_TOKEN_ABSENT BRIDGE_QUIC_SWIFT_NAME("absent"),
    /// `original_dcid` and `after_retry` have been filled in.
    BRIDGE_QUIC_TOKEN_VALID BRIDGE_QUIC_SWIFT_NAME("valid"),
    BRIDGE_QUIC_TOKEN_INVALID BRIDGE_QUIC_SWIFT_NAME("invalid"),
} bridge_quic_token;

bridge_quic_token bridge_quic_check_token(bridge_quic_initial *initial, const uint8_t *secret,
                                          const struct sockaddr *remote, socklen_t remote_length, uint64_t timeout,
                                          uint64_t now);

/// The functions below return the length of the datagram, 0 where none can be written.
size_t bridge_quic_write_version_negotiation(uint8_t *buffer, size_t capacity, const bridge_quic_long_ids *ids);
/// `connection_id_prefix`: null where there is none.
size_t bridge_quic_write_retry(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial,
                               size_t connection_id_length, const uint8_t *connection_id_prefix, const uint8_t *secret,
                               const struct sockaddr *remote, socklen_t remote_length, uint64_t now);
/// Refuses a client's first packet with a transport error.
size_t bridge_quic_write_refusal(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial, uint64_t code);
size_t bridge_quic_write_stateless_reset(uint8_t *buffer, size_t length, const uint8_t *secret, const uint8_t *id,
                                         size_t id_length);

#endif
