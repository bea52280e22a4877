import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport

/// The ``ServeHost``s of all event loops, for callers outside the event loops.
struct ServeHosts: Sendable {
    let hosts: [NIOLoopBound<ServeHost>]
    /// All configured addresses, in their order.
    private let listen: [ListenAddress]
    private let admission: SharedServeAdmission
    private let logger: Logger

    init(configuration: ServeConfiguration, group: MultiThreadedEventLoopGroup, logger: Logger) async throws {
        let admission = SharedServeAdmission(configuration: configuration, logger: logger)
        let pulses = BrokerPulses()
        var hosts: [NIOLoopBound<ServeHost>] = []
        for loop in group.makeIterator() {
            let host = try await loop.submit {
                NIOLoopBound(
                    ServeHost(
                        configuration: configuration, admission: admission, pulses: pulses, eventLoop: loop,
                        logger: logger),
                    eventLoop: loop)
            }.get()
            hosts.append(host)
        }
        self.hosts = hosts
        self.admission = admission
        self.listen = configuration.listen
        self.logger = logger
    }

    /// Opens one socket per event loop, and returns the address listened on. Throws ``ListenError``.
    func listen(on address: ListenAddress, _ server: QUICServerConfiguration) async throws -> String {
        // One byte of the connection ID names the event loop, which limits their number.
        let hosts = hosts.prefix(256)
        let exchange = hosts.count > 1 ? QUICDatagramExchange(eventLoops: hosts.map { $0.eventLoop }) : nil
        do {
            var socket = try SocketAddress.literal(address.host, port: address.port)
            if exchange != nil { try await checkIsFree(socket, server) }
            for (index, host) in hosts.enumerated() {
                let place = exchange?.place(UInt8(truncatingIfNeeded: index))
                let wanted = socket
                // If the port is 0, the other sockets use the one that the first was given.
                socket = try await host.eventLoop.flatSubmit {
                    host.value.listen(on: wanted, server, place: place)
                }.get()
            }
            logger.info("listening", metadata: ["address": "\(socket.hostAndPort)", "leg": "client"])
            return socket.hostAndPort
        } catch {
            throw ListenError(address, .quic, error, besides: listen.prefix { $0 != address })
        }
    }

    /// The sockets allow sharing the port, so without this check a second `serve` would take half of the clients.
    private func checkIsFree(_ address: SocketAddress, _ server: QUICServerConfiguration) async throws {
        guard address.port != 0, let host = hosts.first else { return }
        try await QUICEndpoint.checkIsFree(address, server, on: host.eventLoop).get()
    }

    func use(_ tls: QUICTLSContext) async {
        for host in hosts { try? await host.eventLoop.submit { host.value.use(tls) }.get() }
    }

    /// Puts another configuration in force for what begins from now on.
    func adopt(_ configuration: ServeConfiguration, _ server: QUICServerConfiguration) async {
        admission.adopt(configuration)
        for host in hosts { try? await host.eventLoop.submit { host.value.adopt(configuration, server) }.get() }
    }

    func statistics() async -> ServeStatistics {
        var sum = ServeStatistics()
        for host in hosts {
            if let part = try? await host.eventLoop.submit({ host.value.currentStatistics }).get() { sum = sum + part }
        }
        return sum
    }

    /// Takes no new clients, and sends those that are there elsewhere, one after the other.
    func drain(within limit: Duration) async {
        for host in hosts {
            try? await host.eventLoop.submit { host.value.drain(within: limit, loops: hosts.count) }.get()
        }
    }

    /// Ends all sessions in order, and abruptly those that remain after the timeout.
    ///
    /// - Parameter lingering: How long connections are still refused after that, so that a client whose handshake is
    ///   under way hears that it has to go elsewhere, and does not wait for an answer that never comes.
    func shutDown(within timeout: TimeAmount, lingering: Duration = .zero) async {
        var ends: [EventLoopFuture<Void>] = []
        for host in hosts {
            let promise = host.eventLoop.makePromise(of: Void.self)
            host.eventLoop.execute {
                Timer.once(in: timeout, on: host.eventLoop) { promise.succeed() }
                host.value.shutDown().whenComplete { _ in promise.succeed() }
            }
            ends.append(promise.futureResult)
        }
        for end in ends { try? await end.get() }
        if lingering > .zero { try? await Task.sleep(for: lingering) }
        await close()
    }

    func close() async {
        for host in hosts { try? await host.eventLoop.flatSubmit { host.value.close() }.get() }
    }
}
