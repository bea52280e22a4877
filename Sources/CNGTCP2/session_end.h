#ifndef BRIDGE_QUIC_SESSION_END_H
#define BRIDGE_QUIC_SESSION_END_H

#include "internal.h"

/// An `ngtcp2_recv_crypto_data`: gives the bytes to GnuTLS, and takes GnuTLS's place once the session is freed.
int bridge_recv_crypto_data(ngtcp2_conn *conn, bridge_compat_level level, uint64_t offset, const uint8_t *data,
                            size_t length, void *user_data);

#endif
