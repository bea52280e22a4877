import NIOCore
import Testing

@testable import MQTTCodec

/// What must never be encoded, whatever the caller asks for.
@Suite("Encoding refuses what would be malformed")
struct EncodeTests {
    @Test(
        "packets without what they need",
        arguments: [
            (.publish(PublishHead(topic: ""), payload: ByteBuffer()), .v5_0),
            (.publish(PublishHead(topic: "", properties: [.topicAlias(1)]), payload: ByteBuffer()), .v3_1_1),
            (.publish(PublishHead(topic: "a\0"), payload: ByteBuffer()), .v5_0),
            (.publish(PublishHead(qos: .atLeastOnce, topic: "a"), payload: ByteBuffer()), .v5_0),
            (.publish(PublishHead(qos: .exactlyOnce, topic: "a", packetID: 0), payload: ByteBuffer()), .v3_1_1),
            (.puback(PublishAck(packetID: 0)), .v3_1_1),
            (.subscribe(Subscribe(packetID: 1, subscriptions: [])), .v3_1_1),
            (.subscribe(Subscribe(packetID: 0, subscriptions: [Subscription(filter: "a")])), .v3_1_1),
            (.subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "a", retainHandling: 3)])), .v5_0),
            (.suback(Suback(packetID: 1, codes: [])), .v3_1_1),
            (.unsubscribe(Unsubscribe(packetID: 1, filters: [])), .v3_1_1),
            (.unsuback(Unsuback(packetID: 1)), .v5_0),
            (.auth(Auth()), .v3_1_1),
            (.connect(Connect(version: .v3_1_1, password: ByteBuffer(string: "p"))), .v3_1_1),
        ] as [(Packet, MQTTVersion)])
    func refused(_ packet: Packet, _ version: MQTTVersion) {
        let error = #expect(throws: MQTTError.self) { try packet.encode(version: version) }
        #expect(error?.kind == .notEncodable)
    }

    @Test("at QoS 0 there is neither DUP nor a packet identifier")
    func qos0() throws {
        let head = PublishHead(isDuplicate: true, qos: .atMostOnce, topic: "a", packetID: 7)
        #expect([UInt8](buffer: try head.encode(version: .v3_1_1, payloadLength: 3)) == Bytes("30 06 <'a'>").array)
    }

    @Test(
        "remaining lengths of one to four bytes",
        arguments: [
            (127, 1), (128, 2), (16_383, 2), (16_384, 3), (2_097_151, 3), (2_097_152, 4), (268_435_455, 4),
        ])
    func lengths(_ value: Int, _ length: Int) {
        var buffer = ByteBuffer()
        VariableByteInteger.write(value, to: &buffer)
        #expect(buffer.readableBytes == length)
        #expect(VariableByteInteger.encodedLength(value) == length)
        #expect(VariableByteInteger.read(buffer, at: 0) == .value(value, length: length))
    }
}
