import BridgeCore
import QUICTransport

extension UplinkWay.Failure {
    /// What an error of a QUIC connection, or of its preparation, says about the way to the broker.
    init(_ error: any Error) {
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
