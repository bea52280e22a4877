#ifndef BRIDGE_QUIC_RESUMPTION_H
#define BRIDGE_QUIC_RESUMPTION_H

#include "internal.h"

/// On a server's session. Nonzero: a GnuTLS error.
int bridge_enable_tickets(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// To be called when a server's handshake has completed.
void bridge_send_ticket(bridge_quic_connection *connection);

/// On a client's session.
void bridge_resume(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// To be called once a client's ngtcp2 connection is there.
void bridge_allow_early_data(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// To be called when a client's handshake has completed.
void bridge_check_early_data(bridge_quic_connection *connection);

#endif
