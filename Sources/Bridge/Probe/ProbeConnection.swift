import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// One connection of ``UplinkProbe``, from the first datagram to the report.
final class ProbeConnection: QUICConnectionObserver {
    /// The time that path MTU discovery gets to settle after the handshake.
    private static let settling = TimeAmount.milliseconds(1_500)

    private let address: SocketAddress
    private let endpoint: QUICEndpoint
    private let promise: EventLoopPromise<UplinkReport>
    private let eventLoop: any EventLoop
    private let startedAt = NIODeadline.now()
    private var handle: QUICConnectionHandle?
    private var completed: (alpn: String, duration: Duration)?

    private init(_ address: SocketAddress, _ endpoint: QUICEndpoint, on eventLoop: any EventLoop) {
        self.address = address
        self.endpoint = endpoint
        self.eventLoop = eventLoop
        self.promise = eventLoop.makePromise()
    }

    static func start(
        _ address: SocketAddress, _ uplink: UplinkConfiguration, _ tls: QUICTLSContext, on eventLoop: any EventLoop,
        _ logger: Logger
    ) -> EventLoopFuture<UplinkReport> {
        do {
            let family = QUICAddressFamily(address) ?? .ipv4
            let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
            let probe = ProbeConnection(address, endpoint, on: eventLoop)
            var configuration = QUICConfiguration(uplink)
            configuration.keepsPeerCertificates = true
            probe.handle = try endpoint.connect(
                to: address, serverName: uplink.endpoints[0].certificateName, configuration: configuration, tls: tls,
                observer: probe)
            // The closure keeps the probe, and with it its endpoint, alive until there is an outcome.
            return probe.promise.futureResult.assumeIsolated().always { _ in probe.endpoint.flushAndAbandon() }
                .nonisolated()
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
        switch event {
        case .handshakeCompleted(let alpn):
            completed = (alpn, Duration(NIODeadline.now() - startedAt))
            // The server may still refuse the client's certificate, so the report waits for that.
            Timer.once(in: Self.settling, on: eventLoop) { self.report() }
        case .closed(let error):
            promise.fail(error)
        default:
            break
        }
    }

    private func report() {
        guard let handle, let completed, let tls = handle.tlsInfo else {
            // The connection has closed meanwhile, and the promise has failed already: this second failure is ignored.
            return promise.fail(QUICError.internalError(operation: "reading the handshake's outcome", code: 0))
        }
        let report = UplinkReport(
            address: address.hostAndPort, handshake: completed.duration, alpn: completed.alpn, tls: tls,
            statistics: handle.statistics)
        handle.close()
        promise.succeed(report)
    }
}
