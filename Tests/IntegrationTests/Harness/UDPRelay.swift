import NIOCore
import NIOPosix

/// A NAT between one client and a server: forwards datagrams both ways, and takes another port when told to.
final class UDPRelay: Sendable {
    private let loop: any EventLoop
    private let state: NIOLoopBound<State>
    /// Where the client is to send to.
    let port: Int

    private final class State {
        let server: SocketAddress
        var inside: (any Channel)?
        var outside: (any Channel)?
        var client: SocketAddress?

        init(server: SocketAddress) {
            self.server = server
        }

        func fromClient(_ envelope: AddressedEnvelope<ByteBuffer>) {
            client = envelope.remoteAddress
            outside?.writeAndFlush(AddressedEnvelope(remoteAddress: server, data: envelope.data), promise: nil)
        }

        func fromServer(_ envelope: AddressedEnvelope<ByteBuffer>) {
            guard let client else { return }
            inside?.writeAndFlush(AddressedEnvelope(remoteAddress: client, data: envelope.data), promise: nil)
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        let read: (AddressedEnvelope<ByteBuffer>) -> Void

        init(_ read: @escaping (AddressedEnvelope<ByteBuffer>) -> Void) {
            self.read = read
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            read(unwrapInboundIn(data))
        }
    }

    private init(_ loop: any EventLoop, _ state: NIOLoopBound<State>, port: Int) {
        self.loop = loop
        self.state = state
        self.port = port
    }

    static func start(to serverPort: Int) async throws -> UDPRelay {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try SocketAddress(ipAddress: "127.0.0.1", port: serverPort)
        let state = try await loop.submit { NIOLoopBound(State(server: server), eventLoop: loop) }.get()
        let inside = try await bind(loop) { state.value.fromClient($0) }
        try await loop.submit { state.value.inside = inside }.get()
        let relay = UDPRelay(loop, state, port: inside.localAddress?.port ?? 0)
        try await relay.rebind()
        return relay
    }

    /// From now on the server sees another port; what comes to the old one is lost. Answers the new one.
    @discardableResult
    func rebind() async throws -> Int {
        let state = state
        let outside = try await Self.bind(loop) { state.value.fromServer($0) }
        let old = try await loop.submit { () -> (any Channel)? in
            defer { state.value.outside = outside }
            return state.value.outside
        }.get()
        try await old?.close()
        return outside.localAddress?.port ?? 0
    }

    func stop() async {
        let state = state
        let channels = try? await loop.submit { [state.value.inside, state.value.outside].compactMap { $0 } }.get()
        for channel in channels ?? [] { try? await channel.close() }
    }

    private static func bind(
        _ loop: any EventLoop, _ read: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void
    ) async throws -> any Channel {
        try await DatagramBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(read))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}
