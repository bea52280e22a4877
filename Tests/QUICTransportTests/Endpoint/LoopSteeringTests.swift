import Logging
import NIOCore
import NIOPosix
import Testing

@testable import QUICTransport

/// Sockets of several event loops that share an address.
@Suite(.timeLimit(.minutes(2)))
struct LoopSteeringTests {
    /// Passes the connection ID byte at `offset` of each datagram on, with the index of the socket that got it.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        struct Arrival: Sendable, Equatable {
            var socket: Int
            var byte: UInt8
        }

        private let index: Int
        private let offset: Int
        private let arrivals: AsyncStream<Arrival>.Continuation

        init(_ index: Int, offset: Int = 0, _ arrivals: AsyncStream<Arrival>.Continuation) {
            self.index = index
            self.offset = offset
            self.arrivals = arrivals
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = Array(unwrapInboundIn(data).data.readableBytesView)
            let position = bytes[0] & 0x80 == 0 ? 1 : 6
            arrivals.yield(Arrival(socket: index, byte: bytes[position + offset]))
        }
    }

    /// A datagram with a short or a long header (RFC 8999 5), whose destination connection ID has the byte there.
    private func datagram(_ byte: UInt8, at offset: Int, isLong: Bool) -> ByteBuffer {
        let id = [UInt8](repeating: 8, count: offset) + [byte] + [UInt8](repeating: 9, count: 7)
        return ByteBuffer(bytes: isLong ? [0xc0, 0, 0, 0, 1, 8] + id + [0] : [0x40] + id)
    }

    /// The sender is the same for all of them.
    /// A client may choose a short ID for its first datagram.
    private func shortID(_ byte: UInt8) -> ByteBuffer {
        ByteBuffer(bytes: [0xc0, 0, 0, 0, 1, 8, byte] + [UInt8](repeating: 9, count: 7) + [0, 0, 0, 0])
    }

    @Test func anIDWithoutThatByteHasItAtItsBeginning() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let steering = LoopSteering(loops: 3, offset: 9)
        let (arrivals, continuation) = AsyncStream.makeStream(of: Recorder.Arrival.self)
        var sockets: [any Channel] = []
        for index in 0..<3 {
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: sockets.first?.localAddress?.port ?? 0)
            let loop = group.next()
            let socket = try await loop.flatSubmit {
                DatagramSocket.open(address, DatagramSocket.Options(steering: steering), on: loop) {
                    Recorder(index, continuation)
                }
            }.get()
            try await loop.flatSubmit { steering.begin(at: socket) }.get()
            sockets.append(socket)
        }
        let address = try #require(sockets[0].localAddress)
        let sender = try await DatagramBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        for byte in 0..<12 as Range<UInt8> {
            try await sender.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: shortID(byte))).get()
        }
        for await arrival in arrivals.prefix(12) { #expect(arrival.socket == Int(arrival.byte) % 3) }
        for socket in sockets + [sender] { try await socket.close() }
    }

    @Test(arguments: ["127.0.0.1", "::1"], [0, 3])
    func theConnectionIDChoosesTheLoop(host: String, offset: Int) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let steering = LoopSteering(loops: 3, offset: offset)
        let (arrivals, continuation) = AsyncStream.makeStream(of: Recorder.Arrival.self)
        var sockets: [any Channel] = []
        for index in 0..<3 {
            let address = try SocketAddress(ipAddress: host, port: sockets.first?.localAddress?.port ?? 0)
            let options = DatagramSocket.Options(steering: steering)
            let loop = group.next()
            let socket = try await loop.flatSubmit {
                DatagramSocket.open(address, options, on: loop) { Recorder(index, offset: offset, continuation) }
            }.get()
            try await loop.flatSubmit { steering.begin(at: socket) }.get()
            sockets.append(socket)
        }
        let address = try #require(sockets[0].localAddress)
        let sender = try await DatagramBootstrap(group: group).bind(host: host, port: 0).get()
        let bytes = Array(UInt8(0)..<24) + [0x7f, 0x80, 0xff]
        for byte in bytes {
            for isLong in [false, true] {
                let data = datagram(byte, at: offset, isLong: isLong)
                let envelope = AddressedEnvelope(remoteAddress: address, data: data)
                try await sender.writeAndFlush(envelope).get()
            }
        }
        var seen: [Recorder.Arrival] = []
        for await arrival in arrivals.prefix(2 * bytes.count) { seen.append(arrival) }
        for arrival in seen { #expect(arrival.socket == Int(arrival.byte) % 3) }
        for socket in sockets + [sender] { try await socket.close() }
    }

    /// When sockets have been opened again in another order, the kernel has to choose as it would without a program.
    @Test func itEndsForAllSockets() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let steering = LoopSteering(loops: 2)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
        let socket = try await loop.flatSubmit {
            DatagramSocket.open(
                address, DatagramSocket.Options(steering: steering),
                on: loop
            ) { Recorder(0, AsyncStream.makeStream().continuation) }
        }.get()
        try await loop.flatSubmit { steering.begin(at: socket) }.get()
        try await loop.flatSubmit { LoopSteering.end(at: socket) }.get()
        // There is nothing left to end.
        await #expect(throws: IOError.self) { try await loop.flatSubmit { LoopSteering.end(at: socket) }.get() }
        try await socket.close()
    }
}
