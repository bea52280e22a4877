/// What a server answers to datagrams that belong to no connection.
#ifndef BRIDGE_ACCEPTANCE_H
#define BRIDGE_ACCEPTANCE_H

#include "bridge_base.h"

/// The contents of a client's first packet, after `bridge_quic_accept` has checked it.
typedef struct {
    uint32_t version;
    bridge_quic_cid dcid;
    bridge_quic_cid scid;
    /// Points into the datagram.
    const uint8_t *token;
    size_t token_length;
    /// The client's very first destination connection ID: `dcid`, or the one in the token of a Retry.
    bridge_quic_cid original_dcid;
    /// Whether the client came back with the token of a Retry.
    bool after_retry;
} bridge_quic_initial;

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    BRIDGE_QUIC_ACCEPT_INITIAL BRIDGE_QUIC_SWIFT_NAME("initial"),
    /// A version that this program does not speak, in a datagram large enough for an answer.
    BRIDGE_QUIC_ACCEPT_OTHER_VERSION BRIDGE_QUIC_SWIFT_NAME("otherVersion"),
    /// A short header, perhaps of a connection whose state was lost.
    BRIDGE_QUIC_ACCEPT_SHORT BRIDGE_QUIC_SWIFT_NAME("short"),
    BRIDGE_QUIC_ACCEPT_IGNORE BRIDGE_QUIC_SWIFT_NAME("ignore"),
} bridge_quic_acceptance;

typedef struct {
    const uint8_t *dcid;
    size_t dcid_length;
    const uint8_t *scid;
    size_t scid_length;
} bridge_quic_long_ids;

/// Fills `initial` for BRIDGE_QUIC_ACCEPT_INITIAL, and `ids` with pointers into the datagram for
/// BRIDGE_QUIC_ACCEPT_OTHER_VERSION.
bridge_quic_acceptance bridge_quic_accept(const uint8_t *bytes, size_t length, bridge_quic_initial *initial,
                                          bridge_quic_long_ids *ids);

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    /// There is no token, or it is not the token of a Retry.
    BRIDGE_QUIC_TOKEN_ABSENT BRIDGE_QUIC_SWIFT_NAME("absent"),
    /// `original_dcid` and `after_retry` have been filled in.
    BRIDGE_QUIC_TOKEN_VALID BRIDGE_QUIC_SWIFT_NAME("valid"),
    BRIDGE_QUIC_TOKEN_INVALID BRIDGE_QUIC_SWIFT_NAME("invalid"),
} bridge_quic_token;

bridge_quic_token bridge_quic_check_token(bridge_quic_initial *initial, const uint8_t *secret,
                                          const struct sockaddr *remote, socklen_t remote_length, uint64_t timeout,
                                          uint64_t now);

/// The functions below return the length of the datagram, or 0 if none can be written.
size_t bridge_quic_write_version_negotiation(uint8_t *buffer, size_t capacity, const bridge_quic_long_ids *ids);
/// `prefix` is what the connection ID that the Retry introduces begins with.
size_t bridge_quic_write_retry(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial,
                               size_t connection_id_length, const uint8_t *prefix, size_t prefix_length,
                               const uint8_t *secret, const struct sockaddr *remote, socklen_t remote_length,
                               uint64_t now);
/// Refuses a client's first packet with a transport error.
size_t bridge_quic_write_refusal(uint8_t *buffer, size_t capacity, const bridge_quic_initial *initial, uint64_t code);
size_t bridge_quic_write_stateless_reset(uint8_t *buffer, size_t length, const uint8_t *secret, const uint8_t *id,
                                         size_t id_length);

#endif
