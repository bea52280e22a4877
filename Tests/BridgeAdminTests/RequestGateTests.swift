import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import BridgeAdmin

@Suite(.timeLimit(.minutes(1)))
struct RequestGateTests {
    /// However many requests come at once, only as many reach the parser as are taken, although the client has ended its
    /// side and the system hands out all of them.
    @Test(arguments: [1, 2, 300]) func onlyWhatIsTakenIsPassedOn(allowed: Int) async throws {
        let parser = CountingParser(allowed)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.closeFuture.whenComplete { _ in end.finish() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([RequestGate(parser), parser])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: server.localAddress?.port ?? 0).get()
        let requests = String(repeating: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 300)
        try await client.writeAndFlush(ByteBuffer(string: requests))
        try await client.close()
        for await _ in ends {}
        #expect(parser.requests == allowed)
        try await server.close()
    }
}

/// Stands for the parser and what follows it: counts requests, and takes no more than so many.
private final class CountingParser: ChannelInboundHandler, RequestTaker, Sendable {
    typealias InboundIn = ByteBuffer

    private let allowed: Int
    private let count = Atomic(0)

    init(_ allowed: Int) { self.allowed = allowed }

    var requests: Int { count.load(ordering: .relaxed) }
    var takesRequests: Bool { requests < allowed }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard unwrapInboundIn(data) == ByteBuffer(string: "\r\n") else { return }
        count.add(1, ordering: .relaxed)
    }
}
