import NIOCore
import Testing

@testable import QUICTransport

@Suite struct PathProbeTests {
    private let remote: SocketAddress

    init() throws {
        remote = try SocketAddress(ipAddress: "192.0.2.1", port: 14567)
    }

    /// A Version Negotiation packet (RFC 9000 17.2.1).
    private func answer(to probe: ByteBuffer) throws -> ByteBuffer {
        var rest = probe
        _ = rest.readBytes(length: 5)
        let (first, second) = (
            rest.readLengthPrefixedSlice(as: UInt8.self), rest.readLengthPrefixedSlice(as: UInt8.self)
        )
        let (destination, source) = (try #require(first), try #require(second))
        var answer = ByteBuffer(bytes: [0x80, 0, 0, 0, 0])
        for id in [source, destination] {
            answer.writeInteger(UInt8(id.readableBytes))
            answer.writeImmutableBuffer(id)
        }
        answer.writeInteger(UInt32(1))
        return answer
    }

    @Test func aProbeLooksLikeAnInitialOfAReservedVersion() {
        let bytes = Array(PathProbe(to: remote).datagram.readableBytesView)
        #expect(bytes.count == 1_200)
        #expect(bytes[0] & 0xF0 == 0xC0)
        #expect(bytes[1...4].allSatisfy { $0 & 0x0F == 0x0A })
    }

    @Test func onlyItsOwnAnswerCounts() throws {
        let probe = PathProbe(to: remote)
        let good = try answer(to: probe.datagram)
        #expect(probe.isAnswered(by: good, from: remote))
        #expect(!probe.isAnswered(by: good, from: try SocketAddress(ipAddress: "192.0.2.1", port: 1)))
        #expect(!probe.isAnswered(by: try answer(to: PathProbe(to: remote).datagram), from: remote))
        #expect(!probe.isAnswered(by: probe.datagram, from: remote))
        for length in 0..<39 {
            #expect(!probe.isAnswered(by: good.getSlice(at: 0, length: length) ?? ByteBuffer(), from: remote))
        }
        for index in 0..<39 where index != 0 {
            var bad = good
            bad.setInteger((bad.getInteger(at: index) ?? UInt8(0)) ^ 1, at: index)
            #expect(!probe.isAnswered(by: bad, from: remote))
        }
    }

    @Test func eachAnswerIsTakenOnce() throws {
        var pending = PendingProbes()
        let probes = (0..<3).map { _ in PathProbe(to: remote) }
        for probe in probes { pending.add(probe) }
        let second = try answer(to: probes[1].datagram)
        #expect(pending.take(second, from: remote) == true)
        #expect(pending.take(second, from: remote) == false)
        #expect(pending.count == 1)
        #expect(pending.take(try answer(to: probes[2].datagram), from: remote) == true)
    }

    @Test func theyAreBounded() {
        var pending = PendingProbes()
        for _ in 0..<2 * PendingProbes.capacity { pending.add(PathProbe(to: remote)) }
        #expect(pending.count == PendingProbes.capacity)
    }
}
