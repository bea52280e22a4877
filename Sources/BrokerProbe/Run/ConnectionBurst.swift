import Logging
import NIOCore
import QUICTransport

/// Begins several handshakes in the same moment, and counts how many the broker accepts. All that are accepted stay
/// open until the last one has an outcome.
final class ConnectionBurst {
    private final class Attempt: QUICConnectionObserver {
        weak var burst: ConnectionBurst?
        var handle: QUICConnectionHandle?
        private var isCounted = false

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            guard !isCounted else { return }
            switch event {
            case .handshakeCompleted:
                isCounted = true
                burst?.count(nil)
            case .closed(let error):
                isCounted = true
                burst?.count(error)
            default: break
            }
        }
    }

    private let endpoint: QUICEndpoint
    private let promise: EventLoopPromise<BurstFinding>
    private let startedAt = NIODeadline.now()
    private var attempts: [Attempt] = []
    private var finding: BurstFinding

    init(_ count: Int, _ family: QUICAddressFamily, on eventLoop: any EventLoop) throws {
        endpoint = try QUICEndpoint(
            eventLoop: eventLoop, family: family, logger: Logger(label: "probe") { _ in SwiftLogNoOpLogHandler() })
        promise = eventLoop.makePromise()
        finding = BurstFinding(connections: count)
    }

    /// Each handshake ends within the configuration's timeout, and so does this.
    func run(
        to address: SocketAddress, serverName: String, _ configuration: QUICConfiguration, _ tls: QUICTLSContext
    ) -> EventLoopFuture<BurstFinding> {
        for _ in 0..<finding.connections {
            let attempt = Attempt()
            attempt.burst = self
            attempts.append(attempt)
            do {
                attempt.handle = try endpoint.connect(
                    to: address, serverName: serverName, configuration: configuration, tls: tls, observer: attempt)
            } catch {
                count(error)
            }
        }
        return promise.futureResult
    }

    private func count(_ error: QUICError?) {
        switch error.map({ ProbeFailure($0) }) {
        case nil: finding.accepted += 1
        case let failure? where failure.kind == .busy: finding.refused += 1
        case let failure?:
            finding.failed += 1
            finding.problem = finding.problem ?? failure.reason
        }
        guard finding.accepted + finding.refused + finding.failed == finding.connections else { return }
        finding.milliseconds = Duration(NIODeadline.now() - startedAt).milliseconds
        promise.succeed(finding)
    }

    /// Closes all connections, and waits until the broker has been told.
    func close() -> EventLoopFuture<Void> {
        for attempt in attempts { attempt.handle?.close() }
        // Without an outcome by now, nobody waits for one any more.
        promise.succeed(finding)
        return endpoint.shutDown()
    }
}
