import NIOCore
import NIOPosix

/// A TCP listener that sends whatever bytes a test wants, and reads only when the test wants.
final class RawBroker: Sendable {
    private let listener: any Channel
    private let accepted: EventLog<Connection>
    let port: Int

    /// An accepted connection, with the events on it in order.
    final class Connection: Sendable {
        fileprivate let channel: any Channel
        let events = EventLog<Event>()

        enum Event: Sendable, Equatable {
            /// All bytes received so far.
            case bytes([UInt8])
            case end
            case failure
            case closed
        }

        fileprivate init(_ channel: any Channel) {
            self.channel = channel
        }

        func send(_ bytes: [UInt8]) async throws {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        }

        /// Sends without waiting until the bytes have been written.
        func startSending(_ bytes: [UInt8]) {
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        }

        func read(_ isOn: Bool) async throws {
            try await channel.setOption(.autoRead, value: isOn).get()
            if isOn { channel.read() }
        }

        func received(_ count: Int) async throws -> [UInt8] {
            let event = try await events.first("\(count) bytes") {
                if case .bytes(let bytes) = $0 { bytes.count >= count } else { false }
            }
            guard case .bytes(let bytes) = event else { return [] }
            return bytes
        }

        func close() async {
            try? await channel.close()
        }

        /// Closes the connection with a TCP reset.
        func reset() async throws {
            if let channel = channel as? any SocketOptionProvider {
                try await channel.setSoLinger(.init(l_onoff: 1, l_linger: 0)).get()
            }
            await close()
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let feed: AsyncStream<Connection.Event>.Continuation
        private var bytes: [UInt8] = []

        init(_ feed: AsyncStream<Connection.Event>.Continuation) {
            self.feed = feed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
            feed.yield(.bytes(bytes))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent {
                feed.yield(.end)
                context.close(promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            feed.yield(.failure)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            feed.yield(.closed)
            feed.finish()
        }
    }

    private init(_ listener: any Channel, _ accepted: EventLog<Connection>) {
        self.listener = listener
        self.accepted = accepted
        self.port = listener.localAddress?.port ?? 0
    }

    /// - Parameter port: The port to listen on; with 0 the kernel chooses one.
    static func start(port: Int = 0) async throws -> RawBroker {
        let accepted = EventLog<Connection>()
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                let (stream, feed) = AsyncStream.makeStream(of: Connection.Event.self)
                let connection = Connection(channel)
                Task {
                    await accepted.append(connection)
                    for await event in stream { await connection.events.append(event) }
                    await connection.events.finish("the TCP connection is over")
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(feed))
                }
            }
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: port).get()
        return RawBroker(listener, accepted)
    }

    func connection() async throws -> Connection {
        try await accepted.take("a TCP connection") { _ in true }
    }

    func stop() async {
        try? await listener.close()
        for connection in await accepted.all { await connection.close() }
    }
}
