#ifndef BRIDGE_QUIC_RESUMPTION_H
#define BRIDGE_QUIC_RESUMPTION_H

#include "internal.h"

/// Sets up a server's session to issue and accept tickets, if there is a ticket key. Returns 0 or a GnuTLS error.
int bridge_enable_tickets(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// Must be called when a server's handshake has completed.
void bridge_send_ticket(bridge_quic_connection *connection);

/// Sets up a client's session to collect tickets, and to use the one in the settings if there is one.
void bridge_resume(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// Must be called when a client's ngtcp2 connection has been made.
void bridge_allow_early_data(bridge_quic_connection *connection, const bridge_quic_settings *settings);
/// Must be called when a client's handshake has completed.
void bridge_check_early_data(bridge_quic_connection *connection);

#endif
