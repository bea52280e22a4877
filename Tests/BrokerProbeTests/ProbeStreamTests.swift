import MQTTCodec
import NIOCore
import Testing

@testable import BrokerProbe

struct ProbeStreamTests {
    private static let connack = ByteBuffer(bytes: [0x20, 0x03, 0x00, 0x00, 0x00])
    private static let pingresp = ByteBuffer(bytes: [0xD0, 0x00])

    @Test func packetsComeOneByOneHoweverTheyAreSplit() {
        var stream = ProbeStream(.v5_0)
        #expect(stream.next() == nil)
        var all = Self.connack
        all.writeImmutableBuffer(Self.pingresp)
        while let byte = all.readSlice(length: 1) { stream.received(byte, fin: false) }
        #expect(stream.next() == .packet(.connack(Connack())))
        #expect(stream.next() == .packet(.pingresp))
        #expect(stream.next() == nil)
    }

    @Test func theEndComesAfterThePackets() {
        var stream = ProbeStream(.v5_0)
        stream.received(Self.connack, fin: true)
        #expect(stream.next() == .packet(.connack(Connack())))
        #expect(stream.next() == .finished && stream.next() == .finished)
        stream.reset(5)
        #expect(stream.next() == .finished)
    }

    @Test func aResetIsTold() {
        var stream = ProbeStream(.v3_1_1)
        stream.reset(7)
        stream.received(Self.pingresp, fin: true)
        #expect(stream.next() == .reset(code: 7))
    }

    @Test(arguments: [[UInt8]("HTTP/1.1 400".utf8), [0x20, 0x02, 0x09, 0x00], [0xD0, 0x01, 0x00]])
    func whatIsNotMQTTIsTold(bytes: [UInt8]) {
        var stream = ProbeStream(.v3_1_1)
        stream.received(ByteBuffer(bytes: bytes), fin: false)
        guard case .malformed? = stream.next() else {
            Issue.record("\(String(describing: stream.next()))")
            return
        }
    }

    @Test func packetsThatNobodyTakesAreBounded() {
        var stream = ProbeStream(.v5_0)
        for _ in 0..<1_000 { stream.received(Self.pingresp, fin: false) }
        var count = 0
        while stream.next() != nil { count += 1 }
        #expect(count == 32)
    }
}
