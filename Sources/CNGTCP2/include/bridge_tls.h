/// The outcome of a connection's TLS handshake.
#ifndef BRIDGE_TLS_H
#define BRIDGE_TLS_H

#include "bridge_credentials.h"

typedef enum BRIDGE_QUIC_CLOSED_ENUM {
    /// The certificate was verified, or the handshake did not get that far.
    BRIDGE_QUIC_VERDICT_NONE BRIDGE_QUIC_SWIFT_NAME("none"),
    BRIDGE_QUIC_VERDICT_NO_CERTIFICATE BRIDGE_QUIC_SWIFT_NAME("noCertificate"),
    BRIDGE_QUIC_VERDICT_NOT_TRUSTED BRIDGE_QUIC_SWIFT_NAME("notTrusted"),
    BRIDGE_QUIC_VERDICT_EXPIRED BRIDGE_QUIC_SWIFT_NAME("expired"),
    BRIDGE_QUIC_VERDICT_NOT_YET_VALID BRIDGE_QUIC_SWIFT_NAME("notYetValid"),
    BRIDGE_QUIC_VERDICT_WRONG_NAME BRIDGE_QUIC_SWIFT_NAME("wrongName"),
    BRIDGE_QUIC_VERDICT_UNACCEPTABLE BRIDGE_QUIC_SWIFT_NAME("unacceptable"),
} bridge_quic_verdict;

/// The result of checking the peer's certificate. `at_fault` is the index, in the peer's chain, of the certificate that
/// the result is about; the length of the chain if it is about `bridge_quic_trusted_issuer`. `why` gets GnuTLS's text (`BRIDGE_QUIC_WHY_CAPACITY` bytes).
bridge_quic_verdict bridge_quic_verdict_of(const bridge_quic_connection *connection, size_t *at_fault, char *why);
/// The alert that this side raised; 0 if none.
uint8_t bridge_quic_tls_alert(bridge_quic_connection *connection);
/// For example "Handshake failed"; null if GnuTLS has no name for the alert.
const char *bridge_quic_tls_alert_name(uint8_t alert);

/// The protocol, which is not NUL-terminated; null before it has been negotiated.
const uint8_t *bridge_quic_alpn(const bridge_quic_connection *connection, size_t *length);
/// Null before the handshake has completed.
const char *bridge_quic_tls_version(const bridge_quic_connection *connection);
const char *bridge_quic_tls_cipher(const bridge_quic_connection *connection);
const char *bridge_quic_tls_group(const bridge_quic_connection *connection);

/// Whether a ticket replaced the exchange of certificates.
bool bridge_quic_is_resumed(const bridge_quic_connection *connection);
/// A server knows this from the ClientHello on, a client when the handshake has completed.
bool bridge_quic_is_early_data_accepted(const bridge_quic_connection *connection);

/// The certificate at an index of the peer's chain; the peer's own has index 0. False if there is none, or if the
/// handshake is over and `keeps_peer_certificates` was not set.
bool bridge_quic_peer_certificate(const bridge_quic_connection *connection, size_t index,
                                  bridge_quic_certificate *certificate);
/// The trusted certificate to which the peer's chain leads. False if there is none.
bool bridge_quic_trusted_issuer(const bridge_quic_connection *connection, bridge_quic_certificate *result);

#endif
