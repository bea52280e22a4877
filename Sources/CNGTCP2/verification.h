/// The check of the peer's certificate.
#ifndef BRIDGE_QUIC_VERIFICATION_H
#define BRIDGE_QUIC_VERIFICATION_H

#include "internal.h"

/// A GnuTLS verify function: the handshake continues if it returns 0.
int bridge_verify_peer(gnutls_session_t session);
/// Checks the client's certificate of a session that a ticket resumed, because that may have expired meanwhile. Must be
/// called when the handshake has completed: GnuTLS brings the certificate out only then.
bool bridge_is_resumed_client_welcome(bridge_quic_connection *connection);

#endif
