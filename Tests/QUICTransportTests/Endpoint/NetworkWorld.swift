import Logging
import NIOCore
import QUICSimulation

@testable import QUICTransport

/// A listening endpoint and a client's endpoint on the loopback interface.
final class NetworkWorld {
    /// Sends back what arrives on streams.
    final class Server: QUICEndpointDelegate, QUICConnectionObserver {
        private(set) var handles: [QUICConnectionHandle] = []

        func endpoint(_ endpoint: QUICEndpoint, decidesOn incoming: QUICIncomingConnection) -> QUICAcceptance {
            .accept
        }

        func endpoint(
            _ endpoint: QUICEndpoint, accepted handle: QUICConnectionHandle, from incoming: QUICIncomingConnection
        ) -> any QUICConnectionObserver {
            handles.append(handle)
            return self
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            guard case .streamData(let stream, let bytes, _) = event else { return }
            handle.consumed(stream, bytes: bytes.readableBytes)
            handle.write(stream, bytes)
        }
    }

    final class Client: QUICConnectionObserver, QUICProbeObserver {
        let eventLoop: any EventLoop
        var handle: QUICConnectionHandle?
        var stream: QUICStreamID?
        private(set) var events: [QUICEvent] = []
        private(set) var echoed = 0
        private(set) var answers: [SocketAddress] = []
        private(set) var askedToWatch = 0
        private(set) var receivedWhileSilent = 0
        private var waiting: [(condition: (Client) -> Bool, promise: EventLoopPromise<Void>)] = []

        init(_ eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
        }

        /// Completes when the condition holds; fails if the connection ends before.
        func when(_ condition: @escaping (Client) -> Bool) -> EventLoopFuture<Void> {
            let promise = eventLoop.makePromise(of: Void.self)
            waiting.append((condition, promise))
            check()
            return promise.futureResult
        }

        private func check() {
            for (index, entry) in waiting.enumerated().reversed() where entry.condition(self) {
                waiting.remove(at: index).promise.succeed()
            }
            guard case .closed(let reason)? = events.last else { return }
            for entry in waiting { entry.promise.fail(reason) }
            waiting = []
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            events.append(event)
            if case .streamData(let stream, let bytes, _) = event {
                echoed += bytes.readableBytes
                handle.consumed(stream, bytes: bytes.readableBytes)
            }
            check()
        }

        func connectionAwaitsAnswer(_ handle: QUICConnectionHandle) -> Bool {
            askedToWatch += 1
            return true
        }

        func connectionReceived(_ handle: QUICConnectionHandle) {
            receivedWhileSilent += 1
            check()
        }

        func endpoint(_ endpoint: QUICEndpoint, hasAnswerFrom remote: SocketAddress) {
            answers.append(remote)
            check()
        }

        func write(_ count: Int) throws {
            guard let handle else { return }
            if stream == nil { stream = try handle.openStream() }
            if let stream { handle.write(stream, ByteBuffer(repeating: 7, count: count)) }
        }

        /// Does what a watching observer does. The first time, pacing may hold the PING back.
        func hurryUntilAnswered() {
            guard receivedWhileSilent == 0 else { return }
            handle?.hurry()
            eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(120)) { () -> Void in self.hurryUntilAnswered() }
        }

        var hasMoved: Bool {
            events.contains { if case .pathChanged = $0 { true } else { false } }
        }
    }

    let server = Server()
    let client: Client
    let listener: QUICEndpoint
    let endpoint: QUICEndpoint

    init(_ eventLoop: any EventLoop) throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var quic = QUICConfiguration.test()
        quic.maxBidiStreams = 10
        listener = try QUICEndpoint(
            listeningOn: try SocketAddress(ipAddress: "127.0.0.1", port: 0), eventLoop: eventLoop,
            configuration: QUICServerConfiguration(quic: quic, tls: try TestCertificates.shared.server()),
            delegate: server, logger: logger)
        endpoint = try QUICEndpoint(eventLoop: eventLoop, family: .ipv4, logger: logger)
        client = Client(eventLoop)
        endpoint.probeObserver = client
    }

    func connect() throws {
        client.handle = try endpoint.connect(
            to: listener.localAddress, serverName: "broker.test", configuration: .test(),
            tls: try TestCertificates.shared.client(), observer: client)
    }
}
