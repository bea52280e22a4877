// The only C of this package: ngtcp2 and GnuTLS behind functions of our own.
//
// Nothing of ngtcp2's struct layouts, macros or error numbers is visible here, so that one Swift source serves ngtcp2
// 0.12 (Debian 12) and 1.x (Debian 13). No function here calls back but those that say so, and a callback must not call
// back into the connection it came from.
#ifndef CNGTCP2_H
#define CNGTCP2_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// Times are nanoseconds of a monotonic clock of the caller's choice; durations are nanoseconds.
typedef uint64_t bq_time;
#define BQ_NEVER UINT64_MAX

typedef enum bq_status {
    BQ_OK = 0,
    /// The stream has to wait for flow-control credit.
    BQ_STREAM_BLOCKED,
    /// The stream takes no more: it was reset, ended or never was.
    BQ_STREAM_GONE,
    /// The peer allows no further stream now.
    BQ_STREAMS_EXHAUSTED,
    /// More frames fit into the packet that is being written.
    BQ_WRITE_MORE,
    /// The connection is in its closing period.
    BQ_CLOSING,
    /// The peer closed the connection.
    BQ_DRAINING,
    BQ_IDLE_TIMEOUT,
    BQ_HANDSHAKE_TIMEOUT,
    /// The peer offers only other QUIC versions.
    BQ_VERSION_NEGOTIATION,
    /// A server has to answer with Retry.
    BQ_RETRY,
    /// A server forgets the connection without a word.
    BQ_DROP,
    /// The TLS handshake failed; `bq_conn_tls_alert` says with what.
    BQ_TLS,
    /// Not possible in the present state.
    BQ_INVALID_STATE,
    BQ_NO_MEMORY,
    /// The peer broke the protocol, or a library failed: `bq_conn_last_error` has the number.
    BQ_FAILED,
} bq_status;

typedef struct bq_tls bq_tls;
typedef struct bq_conn bq_conn;

// MARK: TLS

typedef enum bq_file { BQ_FILE_NONE = 0, BQ_FILE_CA, BQ_FILE_CERTIFICATE, BQ_FILE_KEY_LOG } bq_file;

/// Loads certificates. On failure returns NULL, `*file` says which file, and `why` (of `why_size` bytes) what is wrong.
bq_tls *bq_tls_client_new(const char *ca_file, const char *cert_file, const char *key_file, bq_file *file, char *why,
                          size_t why_size);
bq_tls *bq_tls_server_new(const char *cert_file, const char *key_file, const char *client_ca_file, bq_file *file,
                          char *why, size_t why_size);
void bq_tls_free(bq_tls *tls);
/// Receives the lines of an NSS key log, without their end.
void bq_tls_set_key_log(bq_tls *tls, void (*write)(void *owner, const char *line, size_t length), void *owner);

typedef enum bq_cert_fault {
    BQ_CERT_FINE = 0,
    BQ_CERT_NOT_TRUSTED,
    BQ_CERT_WRONG_NAME,
    BQ_CERT_EXPIRED,
    BQ_CERT_NOT_YET_VALID,
    BQ_CERT_MISSING,
    BQ_CERT_UNACCEPTABLE,
} bq_cert_fault;

/// What is wrong with the peer's certificate; `why` gets GnuTLS's own words.
bq_cert_fault bq_conn_cert_fault(bq_conn *conn, char *why, size_t why_size);

/// Certificates of the peer's chain, its own first.
size_t bq_conn_cert_count(bq_conn *conn);
typedef enum bq_cert_text { BQ_CERT_SUBJECT, BQ_CERT_ISSUER, BQ_CERT_KEY } bq_cert_text;
/// 1 where there is such a text; it is cut to `size` bytes with the final 0.
int bq_conn_cert_text(bq_conn *conn, size_t index, bq_cert_text which, char *text, size_t size);
/// The `name_index`-th DNS name or IP address of a certificate; 0 where there is none.
int bq_conn_cert_name(bq_conn *conn, size_t index, size_t name_index, char *text, size_t size);
/// Seconds since 1970.
int bq_conn_cert_validity(bq_conn *conn, size_t index, int64_t *not_before, int64_t *not_after);
typedef enum bq_tls_text { BQ_TLS_VERSION, BQ_TLS_CIPHER, BQ_TLS_GROUP, BQ_TLS_ALPN } bq_tls_text;
int bq_conn_tls_text(bq_conn *conn, bq_tls_text which, char *text, size_t size);
/// The name of a TLS alert.
const char *bq_alert_name(uint8_t alert);

// MARK: Connections

typedef struct bq_settings {
    bq_time now;
    bq_time handshake_timeout;
    bq_time idle_timeout;
    uint64_t max_data;
    uint64_t max_stream_data;
    uint64_t max_bidi_streams;
    uint64_t active_connection_id_limit;
    size_t max_tx_udp_payload;
    /// The largest datagram that the owner can take.
    size_t max_rx_udp_payload;
    int bbr;
    int path_mtu_discovery;
    int qlog;
} bq_settings;

/// What comes out of a connection while it reads, writes or handles its deadline.
typedef struct bq_events {
    void (*handshake_completed)(void *owner);
    void (*handshake_confirmed)(void *owner);
    void (*stream_data)(void *owner, int64_t stream, const uint8_t *data, size_t length, int fin);
    void (*stream_acknowledged)(void *owner, int64_t stream, uint64_t length);
    void (*stream_opened)(void *owner, int64_t stream);
    void (*stream_closed)(void *owner, int64_t stream);
    void (*stream_reset)(void *owner, int64_t stream, uint64_t code);
    void (*stop_sending)(void *owner, int64_t stream, uint64_t code);
    /// The peer's window for the stream grew.
    void (*stream_credit)(void *owner, int64_t stream);
    void (*streams_available)(void *owner);
    void (*connection_id_issued)(void *owner, const uint8_t *id, size_t length);
    void (*connection_id_retired)(void *owner, const uint8_t *id, size_t length);
    void (*path_validated)(void *owner, const struct sockaddr *local, const struct sockaddr *remote, int success);
    void (*versions_offered)(void *owner, const uint32_t *versions, size_t count);
    void (*stateless_reset)(void *owner);
    void (*qlog)(void *owner, const void *data, size_t length);
} bq_events;

/// `alpn` is a list in wire format (length byte, name, ...). `events` is copied; `owner` has to outlive the connection.
/// `tls` too. NULL on failure.
bq_conn *bq_conn_client_new(bq_tls *tls, const bq_settings *settings, const char *server_name, const uint8_t *alpn,
                            size_t alpn_length, const struct sockaddr *local, const struct sockaddr *remote,
                            size_t cid_length, const bq_events *events, void *owner);

/// What a server needs of the first packet.
typedef struct bq_initial {
    uint32_t version;
    uint8_t dcid[20];
    size_t dcid_length;
    uint8_t scid[20];
    size_t scid_length;
    uint8_t original_dcid[20];
    size_t original_dcid_length;
    int after_retry;
    const uint8_t *token;
    size_t token_length;
} bq_initial;

bq_conn *bq_conn_server_new(bq_tls *tls, const bq_settings *settings, const bq_initial *initial, const uint8_t *alpn,
                            size_t alpn_length, const struct sockaddr *local, const struct sockaddr *remote,
                            size_t cid_length, const uint8_t *reset_secret, size_t reset_secret_length,
                            const bq_events *events, void *owner);
void bq_conn_free(bq_conn *conn);

/// Calls back.
bq_status bq_conn_read(bq_conn *conn, const struct sockaddr *local, const struct sockaddr *remote, uint8_t ecn,
                       const uint8_t *data, size_t length, bq_time now);

typedef struct bq_slice {
    const uint8_t *base;
    size_t length;
} bq_slice;

/// What was written.
typedef struct bq_written {
    /// Bytes of the datagram; 0: nothing to send, or not now.
    size_t length;
    /// Bytes taken from the slices; -1: none, and no frame of the stream either.
    int64_t consumed;
    uint8_t ecn;
    struct sockaddr_storage remote;
    struct sockaddr_storage local;
} bq_written;

/// Writes one datagram, or adds a frame to the one being written (BQ_WRITE_MORE: call again with the same buffer).
/// `stream` -1: no stream data, finish the datagram. Calls back.
bq_status bq_conn_write(bq_conn *conn, uint8_t *buffer, size_t size, int64_t stream, int fin, const bq_slice *slices,
                        size_t slice_count, int more, bq_written *written, bq_time now);
/// Bytes that may go out in one burst.
size_t bq_conn_send_quantum(bq_conn *conn);
/// Bytes that the congestion window still allows.
uint64_t bq_conn_window_left(bq_conn *conn);
/// Once all datagrams of a burst are written: paces the next.
void bq_conn_burst_written(bq_conn *conn, bq_time now);
/// CONNECTION_CLOSE with an application code, or with the error that the last failed call left (`application` 0).
size_t bq_conn_write_close(bq_conn *conn, uint8_t *buffer, size_t size, int application, uint64_t code,
                           const char *reason, size_t reason_length, bq_written *written, bq_time now);

bq_time bq_conn_deadline(bq_conn *conn);
/// Calls back.
bq_status bq_conn_handle_deadline(bq_conn *conn, bq_time now);
/// One probe timeout.
bq_time bq_conn_pto(bq_conn *conn);

bq_status bq_conn_open_stream(bq_conn *conn, int64_t *stream);
bq_status bq_conn_reset_stream(bq_conn *conn, int64_t stream, uint64_t code);
void bq_conn_grant(bq_conn *conn, int64_t stream, uint64_t length);
/// The connection's own window is used up, so that no stream can send.
int bq_conn_is_blocked(bq_conn *conn);
/// Room for one more stream of the peer's.
void bq_conn_allow_stream(bq_conn *conn);
void bq_conn_set_keep_alive(bq_conn *conn, bq_time interval);
bq_status bq_conn_migrate(bq_conn *conn, const struct sockaddr *local, const struct sockaddr *remote, bq_time now);
bq_status bq_conn_update_key(bq_conn *conn, bq_time now);

int bq_conn_is_closing(bq_conn *conn);
int bq_conn_is_draining(bq_conn *conn);

/// Why the peer closed the connection.
typedef struct bq_close {
    int is_application;
    uint64_t code;
    char reason[256];
} bq_close;
/// 0 where no CONNECTION_CLOSE came.
int bq_conn_peer_close(bq_conn *conn, bq_close *close);
/// The alert that this side raised; -1: none.
int bq_conn_tls_alert(bq_conn *conn);
/// ngtcp2's number of the last failure, for reports only, and its QUIC transport error code.
int bq_conn_last_error(bq_conn *conn);
uint64_t bq_conn_last_error_code(bq_conn *conn);
const char *bq_error_text(int error);

typedef struct bq_stats {
    bq_time smoothed_rtt;
    bq_time min_rtt;
    bq_time latest_rtt;
    uint64_t congestion_window;
    uint64_t bytes_in_flight;
    size_t datagram_size;
    /// -1 where ngtcp2 does not tell.
    int64_t packets_lost;
} bq_stats;
void bq_conn_stats(bq_conn *conn, bq_stats *stats);
/// Our connection ids that are valid now: writes at most `max` of `stride` bytes each, with their lengths.
size_t bq_conn_connection_ids(bq_conn *conn, uint8_t *ids, size_t stride, size_t *lengths, size_t max);

// MARK: Packets without a connection

typedef enum bq_initial_kind {
    BQ_NOT_INITIAL = 0,
    BQ_INITIAL,
    /// Of a version that we do not speak: answer with version negotiation.
    BQ_OTHER_VERSION,
} bq_initial_kind;
/// Looks at a datagram that belongs to no connection. `initial->token` points into `data`.
bq_initial_kind bq_accept(const uint8_t *data, size_t length, bq_initial *initial);
size_t bq_write_version_negotiation(uint8_t *buffer, size_t size, const bq_initial *initial);
/// Retry with a token that `bq_verify_retry` takes back for `remote` only.
size_t bq_write_retry(uint8_t *buffer, size_t size, const bq_initial *initial, const struct sockaddr *remote,
                      const uint8_t *secret, size_t secret_length, const uint8_t *scid, size_t scid_length, bq_time now);
/// 1 where the token is ours and fresh; fills in `original_dcid`.
int bq_verify_retry(bq_initial *initial, const struct sockaddr *remote, const uint8_t *secret, size_t secret_length,
                    bq_time timeout, bq_time now);
int bq_is_retry_token(const bq_initial *initial);
size_t bq_write_stateless_reset(uint8_t *buffer, size_t size, const uint8_t *secret, size_t secret_length,
                                const uint8_t *cid, size_t cid_length, size_t trigger_length);
int bq_random(uint8_t *bytes, size_t length);
const char *bq_library_version(void);

#endif
