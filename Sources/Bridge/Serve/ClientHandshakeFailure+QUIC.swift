import BridgeCore
import QUICTransport

extension ClientHandshakeFailure {
    /// Why a connection ended before its handshake was completed.
    init(_ error: QUICError) {
        switch error {
        case .noAnswer, .unreachable, .handshakeTimeout, .idleTimeout: self = .timeout
        case .alpnRefused: self = .alpn
        case .certificateNotTrusted, .hostNameMismatch, .certificateExpired, .certificateNotYetValid,
            .certificateUnacceptable, .peerCertificateMissing, .clientCertificateRequired, .clientCertificateRefused:
            self = .certificate
        case .tlsAlert(let code, _, _):
            // "No application protocol" (RFC 7301 3.2), and what is wrong with certificates (RFC 8446 6.2).
            self = code == 120 ? .alpn : (42...46).contains(code) || code == 48 ? .certificate : .tls
        case .versionNegotiationFailed, .connectionRefused, .transportError, .statelessReset: self = .transport
        case .applicationClosed: self = .closed
        case .localClose: self = .shuttingDown
        case .fileUnreadable, .invalidServerName, .notPossibleNow, .internalError: self = .other
        }
    }
}
