import QUICTransport

extension MQTTClientError {
    /// What went wrong before there was a link, with what to do about it.
    init(_ error: QUICError, at target: LinkTarget) {
        let address = target.hostAndPort
        switch error {
        case .noAnswer(let remote, let after):
            self = .unreachable(address: address, detail: "no answer from \(remote) over UDP within \(after.toTenths)")
        case .unreachable(_, let reason):
            self = .unreachable(address: address, detail: reason)
        case .handshakeTimeout(_, let after):
            self = .handshakeTimedOut(address: address, after: after.toTenths)
        case .certificateNotTrusted, .hostNameMismatch, .certificateExpired, .certificateNotYetValid,
            .certificateUnacceptable, .peerCertificateMissing:
            self = .certificateRefused(host: target.host, certificate: "\(error)")
        case .clientCertificateRequired, .clientCertificateRefused:
            self = .clientCertificateRefused(detail: "\(error)")
        case .alpnRefused, .versionNegotiationFailed:
            self = .applicationProtocolNotOffered(address: address, alpn: target.alpn)
        case .fileUnreadable(let path, let why):
            self = .invalidTLSFile(path: path, detail: why)
        case .invalidServerName:
            self = .invalidArgument("\(error)")
        case .idleTimeout, .statelessReset, .connectionRefused, .applicationClosed, .tlsAlert, .transportError,
            .localClose, .notPossibleNow, .internalError:
            self = .handshakeFailed(address: address, detail: "\(error)")
        }
    }
}

extension LinkEnd {
    /// The application error code by which EMQX and `serve` say that they are overloaded or going away.
    private static let retryLater: UInt64 = 2
    /// The codes of the draft "MQTT over QUIC": 0x300 + a reason of MQTT 5.
    private static let reasons: ClosedRange<UInt64> = 0x300...0x3FF

    /// What the end of a QUIC connection that was open means.
    init(_ error: QUICError) {
        switch error {
        case .applicationClosed(let code, _):
            self.init(applicationCode: code, "\(error)")
        case .clientCertificateRefused, .clientCertificateRequired:
            // With TLS 1.3 the server judges the client's certificate after the client's handshake has completed.
            self = .lost(.clientCertificateRefused(detail: "\(error)"), isRetryUseful: false)
        default:
            self = .lost(.connectionLost(detail: "\(error)"), isRetryUseful: true)
        }
    }

    /// The broker has ended the connection or its stream with a code.
    init(applicationCode code: UInt64, _ detail: String) {
        guard Self.reasons.contains(code) else {
            let detail = code == Self.retryLater ? "the broker is overloaded or shutting down" : detail
            self = .lost(.connectionLost(detail: detail), isRetryUseful: true, applicationCode: code)
            return
        }
        let reason = MQTTReasonCode(rawValue: UInt8(truncatingIfNeeded: code))
        let isBusy = [.serverUnavailable, .serverBusy, .serverShuttingDown].contains(reason)
        self = .lost(
            reason == .sessionTakenOver
                ? .sessionTakenOver : .disconnectedByBroker(reason, reason: nil, serverReference: nil),
            isRetryUseful: isBusy || !reason.isError, applicationCode: code)
    }
}

extension Duration {
    /// Rounded to tenths of a second: what is left of a limit is a little less than the limit.
    fileprivate var toTenths: Duration {
        let (seconds, attoseconds) = components
        guard seconds < 1_000_000 else { return self }
        return .milliseconds((seconds * 10 + (attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000) * 100)
    }
}
