/// Why a connection could not be made, or why it ended. `description` says in one line what happened and what to check.
package enum QUICError: Error, Sendable, Equatable {
    /// Not one datagram came back within the handshake timeout.
    case noAnswer(remote: String, after: Duration)
    /// Not one datagram could be sent: `reason` in the system's words.
    case unreachable(remote: String, reason: String)
    /// The peer answered, but the handshake did not finish in time.
    case handshakeTimeout(remote: String, after: Duration)
    /// Nothing was heard from the peer for the idle timeout.
    case idleTimeout(remote: String, after: Duration)
    /// The chain does not lead to a certificate in the CA file. `subject` and `issuer` are those of the peer's own
    /// certificate. `isAlone`: the peer showed no other, and it is not its own issuer.
    case certificateNotTrusted(subject: String, issuer: String, caFile: String, isAlone: Bool = false)
    /// The certificate is trusted but made out to other names.
    case hostNameMismatch(expected: String, names: [String])
    /// `notAfter`: seconds since 1970.
    case certificateExpired(subject: String, notAfter: Int64)
    /// `notBefore`: seconds since 1970.
    case certificateNotYetValid(subject: String, notBefore: Int64)
    /// Anything else that speaks against the certificate: `reason` in GnuTLS's words.
    case certificateUnacceptable(subject: String, reason: String)
    /// The peer showed no certificate where one is demanded.
    case peerCertificateMissing
    /// The peer demands a client certificate (TLS alert 116), and none was shown.
    case clientCertificateRequired
    /// The peer does not accept the client certificate that was shown: `alert` is its TLS alert (RFC 8446 6.2).
    case clientCertificateRefused(alert: UInt8, description: String)
    /// The peer speaks none of the protocols offered (TLS alert 120).
    case alpnRefused(offered: [String])
    /// The TLS handshake failed with this alert (RFC 8446 6), which `isRemote` tells who sent.
    case tlsAlert(code: UInt8, description: String, isRemote: Bool)
    /// The peer speaks no version of QUIC that this program does.
    case versionNegotiationFailed(offered: [UInt32])
    /// The peer is there and takes no connections now (transport error CONNECTION_REFUSED).
    case connectionRefused(reason: String)
    /// A CONNECTION_CLOSE with a transport error (RFC 9000 20.1).
    case transportError(code: UInt64, reason: String, isRemote: Bool)
    /// The peer's application closed the connection.
    case applicationClosed(code: UInt64, reason: String)
    /// The peer knows nothing of this connection any more: it was restarted, or lost its state.
    case statelessReset
    /// `close` was called on this side.
    case localClose(code: UInt64, reason: String)
    /// A certificate, key or CA file could not be used.
    case fileUnreadable(path: String, why: String)
    /// The server name cannot be used: not a host name, or too long.
    case invalidServerName(String)
    /// A call that the state of the connection does not allow now, such as a migration before the handshake is confirmed.
    case notPossibleNow(operation: String, why: String)
    /// A library reported what it should not have. `code` is its own number.
    case internalError(operation: String, code: Int)
}
