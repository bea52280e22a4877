/// Datagrams, streams and time of a connection, and its end.
#ifndef BRIDGE_ENGINE_H
#define BRIDGE_ENGINE_H

#include "bridge_base.h"

/// Takes in a datagram. `ecn` has the two ECN bits of its IP header.
bridge_quic_status bridge_quic_read(bridge_quic_connection *connection, bridge_quic_path path, uint8_t ecn,
                                    const uint8_t *bytes, size_t length, uint64_t now);
bridge_quic_status bridge_quic_handle_expiry(bridge_quic_connection *connection, uint64_t now);
/// When `bridge_quic_handle_expiry` must be called; UINT64_MAX if never.
uint64_t bridge_quic_expiry(bridge_quic_connection *connection);
/// Whether the last datagram read had a packet that only the peer can have made.
bool bridge_quic_has_read_packet(const bridge_quic_connection *connection);

/// Makes the next `bridge_quic_write` send a PING if it has nothing else to send. Requires a confirmed handshake. A
/// full congestion window holds the PING back.
void bridge_quic_ping(bridge_quic_connection *connection, uint64_t now);
/// Whether nothing but acknowledgements and probes may go out now.
bool bridge_quic_is_window_full(bridge_quic_connection *connection);
/// Lets ngtcp2's time run ahead of the caller's to its next deadline, whatever that is, and handles it. False if that
/// would bring the idle timeout nearer than `reserve`. Requires a confirmed handshake. To ngtcp2, packets that were
/// sent before and are acknowledged later seem to have been under way for longer.
bool bridge_quic_run_ahead(bridge_quic_connection *connection, uint64_t reserve, uint64_t now,
                           bridge_quic_status *status);

typedef struct {
    const uint8_t *base;
    size_t length;
} bridge_quic_slice;

/// How many pieces of a stream go into a STREAM frame. For a frame of more pieces ngtcp2 needs another allocation, which
/// before 1.6 it may keep to the end of the connection (see memory.c). More pieces go into several frames of the packet.
#define BRIDGE_QUIC_MAX_SLICES 3

typedef struct {
    bridge_quic_status status;
    /// The size of the finished datagram in bytes; 0 if there is none.
    size_t length;
    /// How many bytes of the stream went into the packet; -1 if the stream was not written to.
    int64_t accepted;
    uint8_t ecn;
    /// The datagram takes another path than the previous one; `bridge_quic_written_path` has it. True for the first.
    bool path_changed;
    /// The peer has to answer the datagram if it arrives. False for a probe of path MTU discovery.
    bool awaits_answer;
    /// The datagram is larger than the path is known to carry: a probe of path MTU discovery.
    bool is_probe;
    /// How many bytes of streams the datagram carries, and how many of these have been sent before.
    uint64_t stream_bytes;
    uint64_t resent_bytes;
} bridge_quic_written;

/// Writes the next datagram. `stream` is -1 if no stream has data. With `more`, the packet stays open while there is
/// room (BRIDGE_QUIC_WRITE_MORE); the sequence must be ended with the same buffer and time before any other call. No
/// slice may be empty, and the bytes must stay at their address until they are acknowledged.
bridge_quic_written bridge_quic_write(bridge_quic_connection *connection, uint8_t *buffer, size_t capacity,
                                      int64_t stream, bool fin, bool more, const bridge_quic_slice *slices,
                                      size_t count, uint64_t now);
#define BRIDGE_QUIC_SCRATCH_CAPACITY 2048

/// A buffer of this thread for one WRITE_MORE sequence.
uint8_t *bridge_quic_scratch(void);

/// Must be called when `bridge_quic_write` has written nothing: what it wrote before goes out now. `has_more` tells
/// whether something still waits to be sent.
void bridge_quic_burst_over(bridge_quic_connection *connection, bool has_more, uint64_t now);
/// Until when pacing lets out nothing but acknowledgements, as far as that is known. 0 or a time in the past means that
/// datagrams may go out now.
uint64_t bridge_quic_pause_end(const bridge_quic_connection *connection);

/// Whether there is something that should not wait for the next datagram: anything but an acknowledgement that is not
/// yet due. What streams have to send is not considered.
bool bridge_quic_has_to_send(bridge_quic_connection *connection);
/// Whether `bridge_quic_handle_expiry` would do something useful now. An acknowledgement may leave early, together with
/// others.
bool bridge_quic_is_due(bridge_quic_connection *connection, uint64_t now);
/// The path of the last datagram written.
bridge_quic_path bridge_quic_written_path(const bridge_quic_connection *connection);

/// The path that ordinary packets take. While another one is validated, some datagrams take that. Valid until the
/// connection is used next.
bridge_quic_path bridge_quic_path_in_use(const bridge_quic_connection *connection);

// MARK: Streams

bridge_quic_status bridge_quic_open_stream(bridge_quic_connection *connection, int64_t *stream);
/// How many bidirectional streams the peer lets us open now.
uint64_t bridge_quic_streams_left(bridge_quic_connection *connection);
void bridge_quic_consume(bridge_quic_connection *connection, int64_t stream, uint64_t length);
bridge_quic_status bridge_quic_reset_stream(bridge_quic_connection *connection, int64_t stream, uint64_t code);
/// Whether the peer's credit for the connection is used up. ngtcp2 does not give that as the reason when it takes
/// nothing of a stream, and does not report when there is more.
bool bridge_quic_is_out_of_credit(bridge_quic_connection *connection);
/// How many packets with data of this stream were declared lost.
uint64_t bridge_quic_stream_losses(bridge_quic_connection *connection, int64_t stream);

// MARK: The connection as a whole

/// Requires a confirmed handshake.
void bridge_quic_set_keep_alive(bridge_quic_connection *connection, uint64_t interval);
bridge_quic_status bridge_quic_update_key(bridge_quic_connection *connection, uint64_t now);
bridge_quic_status bridge_quic_migrate(bridge_quic_connection *connection, bridge_quic_path path, uint64_t now);

typedef struct {
    uint64_t smoothed_rtt;
    uint64_t min_rtt;
    uint64_t latest_rtt;
    uint64_t congestion_window;
    uint64_t bytes_in_flight;
    size_t datagram_size;
} bridge_quic_stats;

bridge_quic_stats bridge_quic_stats_of(bridge_quic_connection *connection);
/// How many objects of the connection did not fit into the slots of its allocator and come from malloc.
size_t bridge_quic_objects_from_malloc(const bridge_quic_connection *connection);

/// The peer's transport parameters (RFC 9000 18.2). Times are in nanoseconds.
typedef struct {
    uint64_t max_idle_timeout;
    uint64_t max_udp_payload_size;
    uint64_t max_data;
    uint64_t max_stream_data_bidi_local;
    uint64_t max_stream_data_bidi_remote;
    uint64_t max_stream_data_uni;
    uint64_t max_streams_bidi;
    uint64_t max_streams_uni;
    uint64_t ack_delay_exponent;
    uint64_t max_ack_delay;
    uint64_t active_connection_id_limit;
    uint64_t max_datagram_frame_size;
    bool disables_active_migration;
    bool has_preferred_address;
    bool greases_quic_bit;
} bridge_quic_parameters;

/// False if they are not known yet. Those that the peer left out have their defaults.
bool bridge_quic_peer_parameters(bridge_quic_connection *connection, bridge_quic_parameters *parameters);

// MARK: The end

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_CLOSE_TRANSPORT BRIDGE_QUIC_SWIFT_NAME("transport"),
    BRIDGE_QUIC_CLOSE_APPLICATION BRIDGE_QUIC_SWIFT_NAME("application"),
    /// With the error of the last call that failed; `code` is not used.
    BRIDGE_QUIC_CLOSE_LAST_ERROR BRIDGE_QUIC_SWIFT_NAME("lastError"),
    /// `code` is a TLS alert.
    BRIDGE_QUIC_CLOSE_TLS_ALERT BRIDGE_QUIC_SWIFT_NAME("tlsAlert"),
} bridge_quic_close_kind;

/// Writes a CONNECTION_CLOSE. The length is 0 if none can be sent.
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
/// The transport error code (RFC 9000 20.1) that tells the peer about the last error.
uint64_t bridge_quic_last_error_code(const bridge_quic_connection *connection);
const char *bridge_quic_error_text(int error);
/// The idle timeout that applies, considering both sides' values (RFC 9000 10.1), in nanoseconds; 0 if there is none.
uint64_t bridge_quic_idle_timeout(bridge_quic_connection *connection);
/// The probe timeout (RFC 9002 6.2), in nanoseconds.
uint64_t bridge_quic_pto(bridge_quic_connection *connection);

#endif
