#ifndef BRIDGE_QUIC_CALLBACKS_H
#define BRIDGE_QUIC_CALLBACKS_H

#include "internal.h"

ngtcp2_callbacks bridge_ngtcp2_callbacks(void);

/// Derived from the secret on a server, so that it outlives the connection; random on a client.
bool bridge_stateless_reset_token(const bridge_quic_connection *connection, uint8_t *token, const ngtcp2_cid *cid);

#endif
