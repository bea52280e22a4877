/// What a failed attempt to connect says about the way to the server.
package enum ConnectFailure: Sendable, Hashable, CaseIterable {
    /// The handshake did not finish within the time that it has.
    case unanswered
    /// The network failed earlier than that.
    case network
    /// The server does not speak the protocol that was offered.
    case alpnMismatch
    /// One of the two sides does not accept the other's certificate.
    case certificate
    /// The server is there, but accepts no connection now.
    case refused
    case other

    /// What an error of a QUIC connection, or of its preparation, says.
    package init(_ error: any Error) {
        switch error {
        case let error as QUICError: self.init(error)
        case is QUICResolutionError: self = .network
        default: self = .other
        }
    }

    private init(_ error: QUICError) {
        switch error {
        case .noAnswer, .handshakeTimeout:
            self = .unanswered
        case .unreachable, .idleTimeout, .statelessReset:
            self = .network
        case .alpnRefused, .versionNegotiationFailed:
            self = .alpnMismatch
        case .certificateNotTrusted, .hostNameMismatch, .certificateExpired, .certificateNotYetValid,
            .certificateUnacceptable, .peerCertificateMissing, .clientCertificateRequired,
            .clientCertificateRefused:
            self = .certificate
        case .connectionRefused, .applicationClosed:
            self = .refused
        case .tlsAlert, .transportError, .localClose, .fileUnreadable, .invalidServerName, .notPossibleNow,
            .internalError:
            self = .other
        }
    }
}
