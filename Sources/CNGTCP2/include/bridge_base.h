/// What the other headers of this target share.
#ifndef BRIDGE_BASE_H
#define BRIDGE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BRIDGE_QUIC_CLOSED_ENUM __attribute__((enum_extensibility(closed)))
#define BRIDGE_QUIC_SWIFT_NAME(name) __attribute__((swift_name(name)))
#define BRIDGE_QUIC_CID_CAPACITY 20
#define BRIDGE_QUIC_SECRET_LENGTH 32
/// The bytes that a datagram may have that comes in, which peers are told.
#define BRIDGE_QUIC_DATAGRAM_ROOM 2048
#define BRIDGE_QUIC_WHY_CAPACITY 512
/// The length of the master key of session tickets: GnuTLS's `TICKET_MASTER_KEY_SIZE`.
#define BRIDGE_QUIC_TICKET_KEY_LENGTH 64
/// How many bytes tell one ClientHello from another.
#define BRIDGE_QUIC_HELLO_ID_LENGTH 16
#define BRIDGE_QUIC_CA_DIGEST_LENGTH 32
/// The length of a SHA-256 digest.
#define BRIDGE_QUIC_DIGEST_LENGTH 32

typedef struct bridge_quic_connection bridge_quic_connection;

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

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_OK BRIDGE_QUIC_SWIFT_NAME("ok"),
    /// There is room left in the packet: more stream data may be written into it.
    BRIDGE_QUIC_WRITE_MORE BRIDGE_QUIC_SWIFT_NAME("writeMore"),
    /// The peer's credit for the stream is used up; `stream_credit` follows when there is more.
    BRIDGE_QUIC_STREAM_BLOCKED BRIDGE_QUIC_SWIFT_NAME("streamBlocked"),
    /// The stream's sending side is shut, because the peer or this side asked for that.
    BRIDGE_QUIC_STREAM_SHUT BRIDGE_QUIC_SWIFT_NAME("streamShut"),
    BRIDGE_QUIC_STREAM_UNKNOWN BRIDGE_QUIC_SWIFT_NAME("streamUnknown"),
    /// The peer allows no further stream now.
    BRIDGE_QUIC_STREAM_LIMIT BRIDGE_QUIC_SWIFT_NAME("streamLimit"),
    /// CONNECTION_CLOSE has been sent.
    BRIDGE_QUIC_CLOSING BRIDGE_QUIC_SWIFT_NAME("closing"),
    /// The peer sent CONNECTION_CLOSE or a stateless reset.
    BRIDGE_QUIC_DRAINING BRIDGE_QUIC_SWIFT_NAME("draining"),
    /// The connection must be dropped without telling the peer.
    BRIDGE_QUIC_DROP BRIDGE_QUIC_SWIFT_NAME("drop"),
    BRIDGE_QUIC_IDLE BRIDGE_QUIC_SWIFT_NAME("idle"),
    BRIDGE_QUIC_HANDSHAKE_TIMEOUT BRIDGE_QUIC_SWIFT_NAME("handshakeTimeout"),
    /// The server sent a Version Negotiation packet without our version.
    BRIDGE_QUIC_VERSION_MISMATCH BRIDGE_QUIC_SWIFT_NAME("versionMismatch"),
    /// TLS failed. `bridge_quic_tls_alert` and `bridge_quic_verdict_of` tell why.
    BRIDGE_QUIC_TLS_FAILED BRIDGE_QUIC_SWIFT_NAME("tlsFailed"),
    /// The connection's state does not allow the call; nothing has changed.
    BRIDGE_QUIC_NOT_NOW BRIDGE_QUIC_SWIFT_NAME("notNow"),
    /// Any other error. `bridge_quic_last_error` has ngtcp2's number; the connection must be closed.
    BRIDGE_QUIC_FAILED BRIDGE_QUIC_SWIFT_NAME("failed"),
} bridge_quic_status;

#endif
