import Logging
import NIOCore
import NIOPosix
import QUICSimulation
import Testing

@testable import QUICTransport

/// A client's endpoint and a listening one, over the loopback interface.
@Suite(.timeLimit(.minutes(2)))
struct ServerEndpointTests {
    /// Sends back what arrives on streams, and decides about connections as the test says.
    private final class Server: QUICEndpointDelegate, QUICConnectionObserver {
        var decision = QUICAcceptance.accept
        private(set) var asked = 0
        private(set) var accepted = 0
        private(set) var closed = 0
        private(set) var validated = 0

        func endpoint(_ endpoint: QUICEndpoint, decidesOn incoming: QUICIncomingConnection) -> QUICAcceptance {
            asked += 1
            return decision
        }

        func endpoint(
            _ endpoint: QUICEndpoint, accepted handle: QUICConnectionHandle, from incoming: QUICIncomingConnection
        ) -> any QUICConnectionObserver {
            accepted += 1
            if incoming.isAddressValidated { validated += 1 }
            return self
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            switch event {
            case .streamData(let stream, let bytes, let fin):
                handle.consumed(stream, bytes: bytes.readableBytes)
                handle.write(stream, bytes, fin: fin)
            case .closed: closed += 1
            default: break
            }
        }
    }

    /// Writes one message and waits until it has come back.
    private final class Client: QUICConnectionObserver {
        let message = ByteBuffer(repeating: 7, count: 100_000)
        let echoed: EventLoopPromise<Void>
        let closed: EventLoopPromise<QUICError>
        private var received = 0

        init(_ eventLoop: any EventLoop) {
            echoed = eventLoop.makePromise()
            closed = eventLoop.makePromise()
        }

        deinit {
            echoed.fail(ChannelError.eof)
            closed.fail(ChannelError.eof)
        }

        func connection(_ handle: QUICConnectionHandle, happened event: QUICEvent) {
            switch event {
            case .handshakeCompleted:
                guard let stream = try? handle.openStream() else { return }
                handle.write(stream, message, fin: true)
            case .streamData(let stream, let bytes, let fin):
                handle.consumed(stream, bytes: bytes.readableBytes)
                received += bytes.readableBytes
                if fin, received == message.readableBytes { echoed.succeed() }
            case .closed(let error):
                echoed.fail(error)
                closed.succeed(error)
            default: break
            }
        }
    }

    /// Both endpoints, on one event loop.
    private final class World {
        let server = Server()
        let listener: QUICEndpoint
        let clients: QUICEndpoint
        let eventLoop: any EventLoop
        private var kept: [Client] = []

        init(_ eventLoop: any EventLoop, host: String, port: Int) throws {
            self.eventLoop = eventLoop
            var quic = QUICConfiguration.test()
            quic.maxBidiStreams = 10
            let configuration = QUICServerConfiguration(quic: quic, tls: try TestCertificates.shared.server())
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            listener = try QUICEndpoint(
                listeningOn: try SocketAddress(ipAddress: host, port: port), eventLoop: eventLoop,
                configuration: configuration, delegate: server, logger: logger)
            clients = try QUICEndpoint(eventLoop: eventLoop, family: .ipv4, logger: logger)
        }

        static func start(
            _ loop: any EventLoop, host: String = "127.0.0.1", port: Int = 0
        ) async throws -> NIOLoopBound<World> {
            let world = try await loop.submit {
                NIOLoopBound(try World(loop, host: host, port: port), eventLoop: loop)
            }.get()
            _ = try await loop.flatSubmit { world.value.listener.listen() }.get()
            return world
        }

        /// Connects. Its futures complete with the echo and with the connection's end.
        func connect(
            to host: String? = nil
        ) throws -> (echoed: EventLoopFuture<Void>, closed: EventLoopFuture<QUICError>) {
            var remote = listener.localAddress
            if let host { remote = try SocketAddress(ipAddress: host, port: remote.port ?? 0) }
            let client = Client(eventLoop)
            kept.append(client)
            _ = try clients.connect(
                to: remote, serverName: "broker.test", configuration: .test(),
                tls: try TestCertificates.shared.client(), observer: client)
            return (client.echoed.futureResult, client.closed.futureResult)
        }

        var counts: [Int] { [server.asked, server.accepted, server.validated] }
    }

    private func run(
        host: String = "127.0.0.1", _ body: (NIOLoopBound<World>) async throws -> Void
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let world = try await World.start(loop, host: host)
        try await body(world)
        try await loop.flatSubmit {
            world.value.clients.flushAndAbandon()
            return world.value.listener.shutDown()
        }.get()
    }

    @Test(arguments: [(QUICAcceptance.accept, [1, 1, 0]), (.retry, [2, 1, 1])])
    func aMessageComesBack(decision: QUICAcceptance, counts: [Int]) async throws {
        try await run { world in
            let client = try await world.eventLoop.submit {
                world.value.server.decision = decision
                return try world.value.connect()
            }.get()
            try await client.echoed.get()
            let seen = try await world.eventLoop.submit { world.value.counts }.get()
            // A client that waits too long for a Retry sends its first datagram again, and another decision is made.
            #expect(counts[0] == 1 ? seen[0] == 1 : seen[0] >= counts[0])
            #expect(seen.dropFirst() == counts.dropFirst())
        }
    }

    /// A client drops what comes from another address than the one that it sends to.
    @Test(arguments: [QUICAcceptance.accept, .retry])
    func aWildcardListenerAnswersFromTheAddressThatItIsReachedAt(decision: QUICAcceptance) async throws {
        try await run(host: "0.0.0.0") { world in
            for host in ["127.0.0.2", "127.0.0.1", "127.0.0.3"] {
                let client = try await world.eventLoop.submit {
                    world.value.server.decision = decision
                    return try world.value.connect(to: host)
                }.get()
                try await client.echoed.get()
                try await world.eventLoop.submit {
                    let handles = world.value.listener.connections.handles
                    #expect(handles.contains { $0.localAddress.ipAddress == host })
                    #expect(handles.allSatisfy { $0.localAddress.port == world.value.listener.localAddress.port })
                    #expect(handles.allSatisfy { $0.listener.ipAddress == "0.0.0.0" })
                }.get()
            }
        }
    }

    /// Otherwise each datagram would cost more, for nothing.
    @Test(arguments: [("127.0.0.1", false), ("0.0.0.0", true)])
    func onlyAWildcardListenerIsToldWhereDatagramsCame(host: String, isTold: Bool) async throws {
        try await run(host: host) { world in
            let client = try await world.eventLoop.submit { try world.value.connect(to: "127.0.0.1") }.get()
            try await client.echoed.get()
            let channels = try await world.eventLoop.submit {
                [world.value.listener, world.value.clients].compactMap(\.socket.channel)
            }.get()
            var told: [Bool] = []
            for channel in channels { told.append(try await channel.getOption(.receivePacketInfo).get()) }
            #expect(told == [isTold, false])
        }
    }

    /// What the system does not take leaves a moment later, and from the right address.
    @Test func whatASocketHoldsIsSentSoon() async throws {
        try await run(host: "0.0.0.0") { world in
            let promise = world.eventLoop.makePromise(of: SocketAddress.self)
            let receiver = try await DatagramBootstrap(group: world.eventLoop)
                .channelInitializer { $0.pipeline.addHandler(FirstSender(promise)) }
                .bind(host: "127.0.0.1", port: 0).get()
            let remote = try #require(receiver.localAddress)
            try await world.eventLoop.submit {
                let listener = world.value.listener
                let source = try SocketAddress(ipAddress: "127.0.0.2", port: 1)
                #expect(listener.batch.put(ByteBuffer(string: "held"), to: remote, from: source))
                listener.hold(by: listener.socket)
                listener.batch.leave()
                #expect(!listener.socket.isWritable && listener.socket.held.count == 1)
            }.get()
            #expect(try await promise.futureResult.get().ipAddress == "127.0.0.2")
            try await world.eventLoop.submit { #expect(world.value.listener.socket.isWritable) }.get()
            try await receiver.close()
        }
    }

    private final class FirstSender: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        private let promise: EventLoopPromise<SocketAddress>

        init(_ promise: EventLoopPromise<SocketAddress>) {
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            promise.succeed(unwrapInboundIn(data).remoteAddress)
        }
    }

    @Test func aRefusalReachesTheClient() async throws {
        try await run { world in
            let client = try await world.eventLoop.submit {
                world.value.server.decision = .refuse
                return try world.value.connect()
            }.get()
            #expect(try await client.closed.get() == .connectionRefused(reason: ""))
            #expect(try await world.eventLoop.submit { world.value.listener.connectionCount }.get() == 0)
        }
    }

    /// Nothing can be sent to a port 0. What makes the server try must not cost the other clients its socket.
    @Test func aDatagramThatCannotBeAnsweredDisturbsNobody() async throws {
        try await run { world in
            let client = try await world.eventLoop.submit { try world.value.connect() }.get()
            try await client.echoed.get()
            let nowhere = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
            let (channel, sent) = try await world.eventLoop.submit {
                let listener = world.value.listener
                let sent = listener.traffic.datagramsSent
                listener.received(ByteBuffer(repeating: 0x41, count: 50), from: nowhere, on: listener.socket)
                listener.readBurstEnded()
                #expect(listener.traffic.datagramsSent == sent)
                listener.reply(
                    QUICDatagram(
                        bytes: ByteBuffer(repeating: 0x41, count: 43), local: listener.localAddress, remote: nowhere,
                        ecn: .transportNotCapable))
                return (listener.socket.channel.map(ObjectIdentifier.init), listener.traffic.datagramsSent)
            }.get()
            let next = try await world.eventLoop.submit { try world.value.connect() }.get()
            try await next.echoed.get()
            try await world.eventLoop.submit {
                let listener = world.value.listener
                #expect(channel != nil && listener.socket.channel.map(ObjectIdentifier.init) == channel)
                #expect(listener.sendFailures.usesSegmentation == System.supportsUDPSegmentationOffload)
                #expect(listener.traffic.datagramsSent > sent)
            }.get()
        }
    }

    /// Every CONNECTION_CLOSE leaves before the socket is closed.
    @Test func aShutdownTellsEveryClient() async throws {
        try await run { world in
            let clients = try await world.eventLoop.submit { try (0..<50).map { _ in try world.value.connect() } }.get()
            for client in clients { try await client.echoed.get() }
            try await world.eventLoop.flatSubmit {
                for handle in world.value.listener.connections.handles {
                    handle.close(applicationCode: 2, reason: "away")
                }
                return world.value.listener.shutDown()
            }.get()
            for client in clients {
                #expect(try await client.closed.get() == .applicationClosed(code: 2, reason: "away"))
            }
        }
    }

    @Test func anAddressThatIsTakenIsAnError() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let other = try await DatagramBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(other.localAddress?.port)
        await #expect(throws: IOError.self) { _ = try await World.start(loop, port: port) }
        try await other.close()
    }

    /// A datagram for another loop's connection is handed on. One that belongs to no loop, or is too many, is dropped.
    @Test(arguments: [[], [7, 7, 7]] as [[UInt8]])
    func datagramsAreHandedToTheLoopThatHasTheConnection(serverID: [UInt8]) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let loop = group.next()
        let exchange = QUICDatagramExchange(eventLoops: [group.next(), loop])
        let remote = try SocketAddress(ipAddress: "192.0.2.1", port: 1)
        let layout = ConnectionIDLayout(serverID: serverID, loop: 0)
        func forward(_ loop: UInt8, longer: Int = 0) throws -> Bool {
            let rest = [UInt8](repeating: 0, count: layout.length - layout.prefix.count + longer)
            let id = try #require(QUICConnectionID(layout.prefix.dropLast() + [loop] + rest))
            return exchange.place(0).forward(ByteBuffer(bytes: [0x40]), under: id, layout, from: remote, to: remote)
        }
        #expect(try !forward(0))
        #expect(try forward(1))
        #expect(try !forward(2))
        #expect(try !forward(1, longer: 1))
        for _ in 0..<2 * QUICDatagramExchange.capacity { #expect(try forward(1)) }
        #expect(exchange.waitingCount(1) == QUICDatagramExchange.capacity)

        // The loop begins only now. It takes what has come before, and what comes later.
        let endpoint = try await loop.submit {
            let endpoint = try QUICEndpoint(eventLoop: loop, family: .ipv4, logger: Logger(label: "test"))
            exchange.place(1).take(endpoint)
            return NIOLoopBound(endpoint, eventLoop: loop)
        }.get()
        try await loop.submit {}.get()
        #expect(exchange.waitingCount(1) == 0)
        #expect(try forward(1))
        try await loop.submit { _ = endpoint.value }.get()
        #expect(exchange.waitingCount(1) == 0)
    }
}
