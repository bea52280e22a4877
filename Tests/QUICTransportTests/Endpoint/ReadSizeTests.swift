import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

@Suite struct ReadSizeTests {
    /// The sizes that follow from reads of this many datagrams.
    private func sizes(after reads: [Int]) -> [Int] {
        var size = ReadSize()
        return reads.map { datagrams in
            for _ in 0..<datagrams { size.received() }
            let before = size.current
            let change = size.readEnded()
            #expect(size.current == change ?? before)
            return size.current
        }
    }

    @Test func aFullReadMakesTheNextOneLarger() {
        #expect(sizes(after: [1, 15, 16, 64, 1]) == [16, 16, 64, 64, 64])
    }

    /// Busy moments come and go, so one small read says nothing.
    @Test func manySmallReadsMakeItSmallAgain() {
        let small = [Int](repeating: 15, count: 999)
        let found = sizes(after: [16] + small + [16] + small + [1, 16])
        #expect(found.dropLast(2).allSatisfy { $0 == 64 })
        #expect(found.suffix(2) == [16, 64])
    }
}

/// A socket on the loopback interface whose reads become larger and smaller.
@Suite(.timeLimit(.minutes(1)))
struct ReadRoomTests {
    /// Keeps the sizes of all datagrams.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let expected: Int
        private let begun: EventLoopPromise<Void>
        private let done: EventLoopPromise<[Int]>
        private var lengths: [Int] = []

        init(_ expected: Int, _ begun: EventLoopPromise<Void>, _ done: EventLoopPromise<[Int]>) {
            self.expected = expected
            self.begun = begun
            self.done = done
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            lengths.append(unwrapInboundIn(data).data.readableBytes)
            begun.succeed()
            if lengths.count == expected { done.succeed(lengths) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            begun.fail(ChannelError.eof)
            done.fail(ChannelError.eof)
        }
    }

    /// A larger read has more room, and not the same for more datagrams, which would cut them short.
    @Test func datagramsAreWholeWhateverTheSizeOfReads() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        for size in [ReadSize.few, ReadSize.many, ReadSize.few] {
            let begun = loop.makePromise(of: Void.self)
            let done = loop.makePromise(of: [Int].self)
            let here = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
            let receiver = try await DatagramSocket.open(here, .init(), on: loop) { Collector(41, begun, done) }.get()
            let sender = try await DatagramBootstrap(group: loop).bind(to: here).get()
            let target = try #require(receiver.localAddress)
            let first = ByteBuffer(repeating: 1, count: 1_400)
            try await sender.writeAndFlush(AddressedEnvelope(remoteAddress: target, data: first))
            // From then on the socket has a buffer, which the next read may use again.
            try await begun.futureResult.get()
            try await loop.submit { DatagramSocket.setReadSize(size, of: receiver) }.get()
            for _ in 0..<40 {
                sender.write(AddressedEnvelope(remoteAddress: target, data: first), promise: nil)
            }
            sender.flush()
            let lengths = try await done.futureResult.get()
            #expect(lengths == [Int](repeating: 1_400, count: 41))
            try await sender.close()
            try await receiver.close()
        }
    }
}
