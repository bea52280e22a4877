import NIOCore
import NIOPosix

/// A UDP port that accepts datagrams and never answers, which is what a firewall that drops UDP looks like.
struct UDPSink: Sendable {
    let port: Int
    /// What has arrived, if that is read.
    let datagrams: AsyncStream<[UInt8]>
    private let channel: any Channel
    private let feed: AsyncStream<[UInt8]>.Continuation

    /// - Parameter isReading: Whether the datagrams are read.
    static func start(isReading: Bool = false) async throws -> UDPSink {
        let (datagrams, feed) = AsyncStream.makeStream(of: [UInt8].self)
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: isReading)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(feed))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return UDPSink(port: channel.localAddress?.port ?? 0, datagrams: datagrams, channel: channel, feed: feed)
    }

    /// Starts a sink that exists while `body` runs.
    static func run(isReading: Bool = false, _ body: (UDPSink) async throws -> Void) async throws {
        let sink = try await start(isReading: isReading)
        do {
            try await body(sink)
        } catch {
            try? await sink.channel.close()
            throw error
        }
        try? await sink.channel.close()
    }

    /// Ends ``datagrams``.
    func finish() { feed.finish() }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let feed: AsyncStream<[UInt8]>.Continuation

        init(_ feed: AsyncStream<[UInt8]>.Continuation) {
            self.feed = feed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            feed.yield(Array(unwrapInboundIn(data).data.readableBytesView))
        }
    }
}
