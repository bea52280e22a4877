import NIOCore
import NIOPosix

/// A TCP connection that sends whatever bytes a test wants, and reads only when the test wants.
final class RawDevice: Sendable {
    private let channel: any Channel
    private let received: Received

    /// All bytes that have been received, and whether the connection has ended.
    actor Received {
        private(set) var bytes: [UInt8] = []
        private var taken = 0
        let log = EventLog<Happening>()

        enum Happening: Sendable, Equatable {
            /// The number of bytes received in total.
            case bytes(Int)
            case closed
        }

        func append(_ new: [UInt8]) async {
            bytes += new
            await log.append(.bytes(bytes.count))
        }

        func close() async {
            await log.append(.closed)
        }

        func take(_ count: Int) -> [UInt8] {
            let slice = Array(bytes[taken..<min(bytes.count, taken + count)])
            taken += slice.count
            return slice
        }

        var position: Int { taken }
    }

    /// - Parameters:
    ///   - receiveBuffer: The size of the socket's receive buffer in bytes. It should be small for a device that reads
    ///     slowly.
    ///   - from: The address to connect from, if that matters.
    static func connect(
        port: Int, host: String = "127.0.0.1", from: String? = nil, receiveBuffer: Int? = nil
    ) async throws -> RawDevice {
        let received = Received()
        let (chunks, feed) = AsyncStream.makeStream(of: [UInt8].self)
        Task {
            for await chunk in chunks {
                await received.append(chunk)
            }
            await received.close()
        }
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(feed))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBuffer)
        }
        if let from {
            bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: from, port: 0))
        }
        return RawDevice(try await bootstrap.connect(host: host, port: port).get(), received)
    }

    private init(_ channel: any Channel, _ received: Received) {
        self.channel = channel
        self.received = received
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Waits for the next `count` bytes, and returns them.
    func receive(_ count: Int) async throws -> [UInt8] {
        let needed = await received.position + count
        let happening = try await received.log.first("\(count) more bytes") { happening in
            switch happening {
            case .bytes(let sum): sum >= needed
            case .closed: true
            }
        }
        guard happening != .closed else {
            throw HarnessError("closed before \(count) more bytes came", "\(await received.bytes.suffix(64))")
        }
        return await received.take(count)
    }

    /// Waits until the other side has closed the connection, and returns the bytes that had come but had not been
    /// taken.
    func closed() async throws -> [UInt8] {
        _ = try await received.log.first("the close of the TCP connection") { $0 == .closed }
        return await received.take(.max / 2)
    }

    var isClosed: Bool {
        get async { await received.log.all.contains(.closed) }
    }

    func read(_ on: Bool) async throws {
        try await channel.setOption(.autoRead, value: on).get()
        if on {
            channel.read()
        }
    }

    func close() async {
        try? await channel.close()
    }

    /// Shuts down the sending side. The device still reads.
    func finish() async throws {
        try await channel.close(mode: .output)
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let feed: AsyncStream<[UInt8]>.Continuation

        init(_ feed: AsyncStream<[UInt8]>.Continuation) {
            self.feed = feed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            feed.yield(Array(unwrapInboundIn(data).readableBytesView))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            feed.finish()
        }
    }
}
