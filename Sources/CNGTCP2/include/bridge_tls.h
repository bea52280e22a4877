/// What a connection's TLS handshake came to.
#ifndef BRIDGE_TLS_H
#define BRIDGE_TLS_H

#include "bridge_credentials.h"

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    /// Verified, or not come to.
    BRIDGE_QUIC_VERDICT_NONE BRIDGE_QUIC_SWIFT_NAME("none"),
    BRIDGE_QUIC_VERDICT_NO_CERTIFICATE BRIDGE_QUIC_SWIFT_NAME("noCertificate"),
    BRIDGE_QUIC_VERDICT_NOT_TRUSTED BRIDGE_QUIC_SWIFT_NAME("notTrusted"),
    BRIDGE_QUIC_VERDICT_EXPIRED BRIDGE_QUIC_SWIFT_NAME("expired"),
    BRIDGE_QUIC_VERDICT_NOT_YET_VALID BRIDGE_QUIC_SWIFT_NAME("notYetValid"),
    BRIDGE_QUIC_VERDICT_WRONG_NAME BRIDGE_QUIC_SWIFT_NAME("wrongName"),
    BRIDGE_QUIC_VERDICT_UNACCEPTABLE BRIDGE_QUIC_SWIFT_NAME("unacceptable"),
} bridge_quic_verdict;

/// What came of checking the peer's certificate. `at_fault`: the index in its chain of the certificate that it is
/// about. `why`: GnuTLS's words, `BRIDGE_QUIC_WHY_CAPACITY` bytes.
bridge_quic_verdict bridge_quic_verdict_of(const bridge_quic_connection *connection, size_t *at_fault, char *why);
/// The alert this side raised, 0 for none.
uint8_t bridge_quic_tls_alert(bridge_quic_connection *connection);
/// "Handshake failed"; null where GnuTLS has no name for it.
const char *bridge_quic_tls_alert_name(uint8_t alert);

/// Null before it has been negotiated. Not ending in NUL.
const uint8_t *bridge_quic_alpn(const bridge_quic_connection *connection, size_t *length);
/// Null before the handshake has completed.
const char *bridge_quic_tls_version(const bridge_quic_connection *connection);
const char *bridge_quic_tls_cipher(const bridge_quic_connection *connection);
const char *bridge_quic_tls_group(const bridge_quic_connection *connection);

/// Whether a ticket stood in for the certificates.
bool bridge_quic_is_resumed(const bridge_quic_connection *connection);
/// Of a server from the ClientHello on, of a client once the handshake has completed.
bool bridge_quic_is_early_data_accepted(const bridge_quic_connection *connection);

/// The peer's certificate at the index, its own being 0. False where there is none.
bool bridge_quic_peer_certificate(const bridge_quic_connection *connection, size_t index,
                                  bridge_quic_certificate *certificate);

#endif
