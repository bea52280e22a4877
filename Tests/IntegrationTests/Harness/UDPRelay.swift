import NIOCore
import NIOPosix

/// A NAT and a network between clients and a server. It forwards datagrams in both directions, and delays or drops them
/// as a test says.
///
/// Each client has a port of its own towards the server. Datagrams that a rule drops are gone without an answer, but
/// `happenings` lists them for tests that wait for that.
final class UDPRelay: Sendable {
    enum Direction: Sendable, Hashable {
        /// From a client to the server.
        case up
        case down
    }

    /// What happens to datagrams.
    struct Rules: Sendable {
        /// The directions in which all datagrams are dropped.
        var blocked: Set<Direction> = []
        /// How long datagrams are delayed in each direction.
        var delay: [Direction: TimeAmount] = [:]
        /// The directions in which datagrams are kept. They continue in order once the direction is removed.
        var held: Set<Direction> = []
        /// The size in bytes of the largest datagrams that pass in each direction.
        var largest: [Direction: Int] = [:]
        /// The port of the server that a datagram is for, with several servers; `nil` stands for the relay's server.
        var serverPort: (@Sendable (ByteBuffer) -> Int?)?
    }

    /// A datagram, and what happened to it.
    struct Happening: Sendable {
        let direction: Direction
        let size: Int
        /// Whether the datagram is forwarded, at once or later.
        let passed: Bool
        /// The relay's port towards the server.
        let port: Int
    }

    /// The port that clients send to.
    let port: Int
    /// All datagrams so far, in order.
    let happenings = EventLog<Happening>()
    private let loop: any EventLoop
    private let state: NIOLoopBound<RelayState>

    private init(_ loop: any EventLoop, _ state: NIOLoopBound<RelayState>, port: Int) {
        self.loop = loop
        self.state = state
        self.port = port
    }

    static func start(to serverPort: Int, host: String = "127.0.0.1") async throws -> UDPRelay {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try SocketAddress(ipAddress: host, port: serverPort)
        let (happenings, feed) = AsyncStream.makeStream(of: Happening.self)
        let state = try await loop.submit {
            NIOLoopBound(RelayState(server: server, loop: loop, feed: feed), eventLoop: loop)
        }.get()
        let inside = try await RelayState.bind(loop, host: host) { state.value.fromClient($0) }.get()
        try await loop.submit { state.value.inside = inside }.get()
        let relay = UDPRelay(loop, state, port: inside.localAddress?.port ?? 0)
        let log = relay.happenings
        Task {
            for await happening in happenings { await log.append(happening) }
            await log.finish("the relay has stopped")
        }
        return relay
    }

    /// Changes what happens to datagrams from now on.
    func set(_ change: @escaping @Sendable (inout Rules) -> Void) async throws {
        let state = state
        try await loop.submit {
            change(&state.value.rules)
            state.value.release()
        }.get()
    }

    /// Drops all datagrams from now on, or lets all of them pass again.
    func blackOut(_ on: Bool) async throws {
        try await set { $0.blocked = on ? [.up, .down] : [] }
    }

    /// Gives each client another port towards the server. Datagrams to the old ports are dropped. Returns the new
    /// ports.
    @discardableResult
    func rebind() async throws -> [Int] {
        let state = state
        return try await loop.flatSubmit { state.value.rebind() }.get()
    }

    /// Waits until `count` datagrams in a direction have been dropped since `start`, an index in `happenings`.
    func swallowed(_ count: Int, _ direction: Direction, from start: Int = 0) async throws {
        var seen = 0
        var position = start
        while seen < count {
            let all = await happenings.all.dropFirst(position)
            seen += all.count { !$0.passed && $0.direction == direction }
            position += all.count
            guard seen < count else { return }
            _ = try await happenings.first("\(count) swallowed datagrams", from: position) {
                !$0.passed && $0.direction == direction
            }
        }
    }

    func stop() async {
        let state = state
        let channels = try? await loop.submit { state.value.stop() }.get()
        for channel in channels ?? [] { try? await channel.close() }
    }
}

/// The state of a relay, on its event loop.
private final class RelayState {
    typealias Datagram = AddressedEnvelope<ByteBuffer>

    var rules = UDPRelay.Rules()
    var inside: (any Channel)?
    private let server: SocketAddress
    private let loop: any EventLoop
    private let feed: AsyncStream<UDPRelay.Happening>.Continuation
    private var mappings: [SocketAddress: Mapping] = [:]
    /// What to do once a direction is no longer held.
    private var held: [UDPRelay.Direction: [() -> Void]] = [:]
    /// The sockets from before the last rebinding. They stay open, because a closed socket answers with ICMP.
    private var old: [any Channel] = []

    /// A client's port towards the server.
    private final class Mapping {
        var outside: (any Channel)?
        /// The datagrams that came before the port was open.
        var waiting: [ByteBuffer] = []

        var port: Int { outside?.localAddress?.port ?? 0 }
    }

    init(server: SocketAddress, loop: any EventLoop, feed: AsyncStream<UDPRelay.Happening>.Continuation) {
        self.server = server
        self.loop = loop
        self.feed = feed
    }

    func fromClient(_ datagram: Datagram) {
        let mapping = mappings[datagram.remoteAddress] ?? open(datagram.remoteAddress)
        guard passes(datagram.data, .up, port: mapping.port) else { return }
        let server = destination(of: datagram.data)
        after(.up) {
            if let outside = mapping.outside {
                outside.writeAndFlush(Datagram(remoteAddress: server, data: datagram.data), promise: nil)
            } else {
                mapping.waiting.append(datagram.data)
            }
        }
    }

    private func destination(of datagram: ByteBuffer) -> SocketAddress {
        var address = server
        if let port = rules.serverPort?(datagram) { address.port = port }
        return address
    }

    private func fromServer(_ datagram: Datagram, to client: SocketAddress, port: Int) {
        guard port == mappings[client]?.port, passes(datagram.data, .down, port: port) else { return }
        after(.down) { [self] in
            inside?.writeAndFlush(Datagram(remoteAddress: client, data: datagram.data), promise: nil)
        }
    }

    private func passes(_ data: ByteBuffer, _ direction: UDPRelay.Direction, port: Int) -> Bool {
        let size = data.readableBytes
        let passes = !rules.blocked.contains(direction) && size <= rules.largest[direction] ?? .max
        feed.yield(.init(direction: direction, size: size, passed: passes, port: port))
        return passes
    }

    private func after(_ direction: UDPRelay.Direction, _ perform: @escaping () -> Void) {
        guard !rules.held.contains(direction) else {
            held[direction, default: []].append(perform)
            return
        }
        guard let delay = rules.delay[direction] else { return perform() }
        loop.assumeIsolated().scheduleTask(in: delay, perform)
    }

    func release() {
        for direction in held.keys where !rules.held.contains(direction) {
            for perform in held.removeValue(forKey: direction) ?? [] { perform() }
        }
    }

    private func open(_ client: SocketAddress) -> Mapping {
        let mapping = Mapping()
        mappings[client] = mapping
        bind(client).assumeIsolated().whenSuccess { [self] channel in
            mapping.outside = channel
            for data in mapping.waiting {
                channel.writeAndFlush(Datagram(remoteAddress: destination(of: data), data: data), promise: nil)
            }
            mapping.waiting = []
        }
        return mapping
    }

    func rebind() -> EventLoopFuture<[Int]> {
        let opened = mappings.map { client, mapping in
            bind(client).assumeIsolated().map { [self] channel -> Int in
                if let outside = mapping.outside { old.append(outside) }
                mapping.outside = channel
                return mapping.port
            }.nonisolated()
        }
        return EventLoopFuture.whenAllSucceed(opened, on: loop)
    }

    func stop() -> [any Channel] {
        feed.finish()
        defer { mappings = [:] }
        return old + mappings.values.compactMap(\.outside) + [inside].compactMap { $0 }
    }

    private func bind(_ client: SocketAddress) -> EventLoopFuture<any Channel> {
        let state = NIOLoopBound(self, eventLoop: loop)
        let port = NIOLoopBoundBox(0, eventLoop: loop)
        let host = server.ipAddress
        let channel = Self.bind(loop, host: host ?? "127.0.0.1") { datagram in
            // A NAT knows the server by its address.
            guard datagram.remoteAddress.ipAddress == host else { return }
            state.value.fromServer(datagram, to: client, port: port.value)
        }
        return channel.map { channel in
            port.value = channel.localAddress?.port ?? 0
            return channel
        }
    }

    static func bind(
        _ loop: any EventLoop, host: String, _ read: @escaping @Sendable (Datagram) -> Void
    ) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(read))
                }
            }
            .bind(host: host, port: 0)
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = Datagram
        private let read: (Datagram) -> Void

        init(_ read: @escaping (Datagram) -> Void) {
            self.read = read
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            read(unwrapInboundIn(data))
        }
    }
}
