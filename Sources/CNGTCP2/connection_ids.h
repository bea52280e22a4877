/// Connection IDs of this side, and the tokens that go with them.
#ifndef BRIDGE_QUIC_CONNECTION_IDS_H
#define BRIDGE_QUIC_CONNECTION_IDS_H

#include "internal.h"

/// Makes a connection ID that begins with `prefix` and is random behind it. False if the system has no random bytes, or
/// the lengths do not fit.
bool bridge_new_connection_id(ngtcp2_cid *cid, size_t length, const uint8_t *prefix, size_t prefix_length);
/// The same with the prefix that the connection's settings ask for.
bool bridge_issue_connection_id(const bridge_quic_connection *connection, ngtcp2_cid *cid, size_t length);
/// The token of a stateless reset under this ID. On a server it is derived from the secret, so that it outlives the
/// connection; on a client it is random.
bool bridge_stateless_reset_token(const bridge_quic_connection *connection, uint8_t *token, const ngtcp2_cid *cid);

ngtcp2_cid bridge_cid_of(const bridge_quic_cid *id);
bridge_quic_cid bridge_id_of(const ngtcp2_cid *cid);

#endif
