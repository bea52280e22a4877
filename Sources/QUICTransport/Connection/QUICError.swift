/// Why a connection could not be made, or why it ended. `description` says in one line what happened and what to check.
package enum QUICError: Error, Sendable, Equatable {
    /// Nothing at all was received within the handshake timeout.
    case noAnswer(remote: String, after: Duration)
    /// No datagram could be sent. `reason` is the system's error text.
    case unreachable(remote: String, reason: String)
    /// The peer answered, but the handshake did not finish in time.
    case handshakeTimeout(remote: String, after: Duration)
    /// Nothing was received from the peer within the idle timeout.
    case idleTimeout(remote: String, after: Duration)
    /// The chain does not lead to a certificate in the CA file. `subject` and `issuer` are those of the peer's own
    /// certificate. `isAlone` means that the peer sent no other certificate, and that this one is not self-signed.
    case certificateNotTrusted(subject: String, issuer: String, caFile: String, isAlone: Bool = false)
    /// The certificate is trusted, but made out to other names.
    case hostNameMismatch(expected: String, names: [String])
    /// `notAfter` is in seconds since 1970. If the certificate is not the peer's but one that this side trusts, `caFile`
    /// is where it was read.
    case certificateExpired(subject: String, notAfter: Int64, caFile: String? = nil)
    /// The same for `notBefore`.
    case certificateNotYetValid(subject: String, notBefore: Int64, caFile: String? = nil)
    /// The certificate is unusable for any other reason. `reason` is GnuTLS's text.
    case certificateUnacceptable(subject: String, reason: String)
    /// The peer sent no certificate although one is required.
    case peerCertificateMissing
    /// The peer requires a client certificate (TLS alert 116), and none was sent.
    case clientCertificateRequired
    /// The peer does not accept the client certificate that was sent. `alert` is its TLS alert (RFC 8446 6.2).
    case clientCertificateRefused(alert: UInt8, description: String)
    /// The peer speaks none of the protocols offered (TLS alert 120).
    case alpnRefused(offered: [String])
    /// The TLS handshake failed with this alert (RFC 8446 6). `isRemote` tells whether the peer raised it.
    case tlsAlert(code: UInt8, description: String, isRemote: Bool)
    /// The peer speaks no version of QUIC that this program speaks.
    case versionNegotiationFailed(offered: [UInt32])
    /// The peer accepts no connections now (transport error CONNECTION_REFUSED).
    case connectionRefused(reason: String)
    /// The connection was closed with a transport error (RFC 9000 20.1). `isRemote` tells whether the peer closed it.
    case transportError(code: UInt64, reason: String, isRemote: Bool)
    /// The peer's application closed the connection.
    case applicationClosed(code: UInt64, reason: String)
    /// The peer no longer knows this connection, because it was restarted or lost its state.
    case statelessReset
    /// `close` was called on this side.
    case localClose(code: UInt64, reason: String)
    /// A certificate, key or CA file could not be used.
    case fileUnreadable(path: String, why: String)
    /// The server name cannot be used, because it is too long or not a host name.
    case invalidServerName(String)
    /// The state of the connection does not allow this call now, for example a migration before the handshake is
    /// confirmed.
    case notPossibleNow(operation: String, why: String)
    /// A library reported an error that should not occur. `code` is its own number.
    case internalError(operation: String, code: Int)
}
