import MQTTCodec
import NIOCore
import Testing

@testable import BenchmarkLoad

/// What the generator writes must be what the codec reads.
struct PublishTemplateTests {
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0], [QoS.atMostOnce, .atLeastOnce])
    func messagesDifferInIdentifierDuplicateAndStamp(_ version: MQTTVersion, _ qos: QoS) throws {
        let padding = ByteBuffer(repeating: UInt8(ascii: "x"), count: 168)
        let template = try PublishTemplate(topic: "load/up/7", qos: qos, version: version, padding: padding)
        // Something else is in front, as in a batch.
        var buffer = ByteBuffer(string: "before")
        let stamps = (UInt32(0)..<3).map {
            Stamp(kind: .publish, due: 1_234_567_890_123 + Int64($0), run: .max - 1, device: 7, sequence: $0)
        }
        for (index, stamp) in stamps.enumerated() {
            template.write(stamp, packetID: UInt16(1000 + index), isDuplicate: index == 2, to: &buffer)
        }
        #expect(buffer.readString(length: 6) == "before")
        var decoder = FrameDecoder(maximumPacketSize: 1000, maximumBufferedSize: 1000)
        decoder.version = version
        decoder.append(buffer)
        for (index, stamp) in stamps.enumerated() {
            guard case .packet(let frame) = try decoder.next() else { throw LoadError.option("no packet") }
            let (head, payload) = try PublishHead.decode(frame, version: version)
            #expect(head.topic == "load/up/7")
            #expect(head.packetID == (qos == .atMostOnce ? nil : UInt16(1000 + index)))
            #expect(head.isDuplicate == (qos == .atLeastOnce && index == 2))
            #expect(payload.readableBytes == 200)
            #expect(Stamp(payload) == stamp)
        }
        let rest = try decoder.next()
        #expect(rest == nil)
    }

    @Test func aShortOrForeignPayloadHasNoStamp() {
        var whole = ByteBuffer()
        Stamp(kind: .command, due: 1, run: 2, device: 3, sequence: 4).write(to: &whole)
        #expect(whole.readableBytes == Stamp.length)
        #expect(Stamp(whole)?.kind == .command)
        for length in 0..<25 {
            #expect(Stamp(whole.getSlice(at: 0, length: length) ?? ByteBuffer()) == nil, "\(length) bytes")
        }
        #expect(Stamp(ByteBuffer(repeating: 0, count: 100)) == nil)
    }
}
