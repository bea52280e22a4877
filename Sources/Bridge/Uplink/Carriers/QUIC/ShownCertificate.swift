import BridgeCore
import NIOCore
import QUICTransport
import Synchronization

/// The certificate that the broker has last shown over QUIC, whichever event loop saw it.
final class ShownCertificate: Sendable {
    private struct State {
        var certificate: StatusReport.Certificate?
        var seenAt: NIODeadline?
    }

    /// Reading one costs a tenth of a handshake, and a broker's certificate seldom changes.
    private static let interval = TimeAmount.seconds(30)

    private let state = Mutex(State())

    /// `nil` before the first full handshake.
    var current: StatusReport.Certificate? { state.withLock { $0.certificate } }

    /// Reads the certificate of a handshake, unless another one was read lately.
    func note(at now: NIODeadline, _ read: () -> QUICCertificate?) {
        let isDue = state.withLock { state in
            if let seenAt = state.seenAt, now < seenAt + Self.interval { return false }
            state.seenAt = now
            return true
        }
        guard isDue, let certificate = read() else { return }
        let shown = StatusReport.Certificate(
            role: "broker", subject: certificate.subject, expiresAt: Double(certificate.notAfter))
        state.withLock { $0.certificate = shown }
    }
}
