import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Messages with a Message Expiry Interval that wait for the broker (MQTT 5 3.3.2.3.3).
@Suite struct HoldExpiryTests {
    private static func message(_ qos: QoS, _ id: UInt16?, _ seconds: UInt32, topic: String = "a") -> Packet {
        .publish(topic, qos: qos, id: id, [.contentType("c"), .messageExpiryInterval(seconds), .responseTopic("r")])
    }

    private static func dropped(_ count: Int) -> SessionNote { .messagesExpired(count) }

    /// A begun second counts for the message.
    @Test(arguments: [
        (TimeAmount.zero, UInt32(10)), (.milliseconds(999), 10), (.seconds(1), 9), (.milliseconds(9_999), 1),
    ])
    func aMessageThatHasWaitedHasLessTime(_ wait: TimeAmount, _ left: UInt32) throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(Self.message(.atLeastOnce, 1, 10))
        _ = try bench.device(Self.message(.exactlyOnce, 2, 10))
        try bench.lose()
        _ = try bench.device(Self.message(.atMostOnce, nil, 10))
        _ = try bench.device(Self.message(.atLeastOnce, 3, .max))
        bench.clock.advance(wait)
        let rest = [Self.message(.atMostOnce, nil, left), Self.message(.atLeastOnce, 3, .max - (10 - left))]
        let back = try bench.comeBack(true)
        #expect(
            back.up == [Self.message(.atLeastOnce, 1, left).again, Self.message(.exactlyOnce, 2, left).again] + rest)
        #expect(back.down.isEmpty && back.notes == [.resumed(.newLeg(isSessionPresent: true, resent: 2))])
        // The time counts from when the message came, however often it is sent.
        try bench.lose()
        let again = try bench.comeBack(true)
        #expect(again.up.prefix(2) == back.up.prefix(2))
        _ = try bench.broker(.ack(.puback, 1))
        bench.clock.advance(.seconds(10))
        try bench.lose()
        #expect(try bench.comeBack(true).up.first == Self.message(.exactlyOnce, 2, 1).again)
    }

    @Test func whatIsNotHeldStaysAsItIs() throws {
        var bench = try HoldBench.connected(.v5_0)
        for seconds: UInt32 in [0, 1, .max] {
            let message = Self.message(.atLeastOnce, 1, seconds)
            #expect(try bench.device(message).up == [message])
            bench.clock.advance(.seconds(2))
            #expect(try bench.broker(.ack(.puback, 1)).down == [.ack(.puback, 1)])
        }
    }

    /// The device is told what a broker would tell it that has accepted the message.
    @Test(arguments: [true, false])
    func aMessageWhoseTimeIsOverIsDropped(_ isPresent: Bool) throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.device(Self.message(.atMostOnce, nil, 10))
        _ = try bench.device(Self.message(.atLeastOnce, 1, 10))
        _ = try bench.device(Self.message(.exactlyOnce, 2, 10))
        _ = try bench.device(.message("last", .atLeastOnce, 3))
        bench.clock.advance(.seconds(10))
        let back = try bench.comeBack(isPresent)
        #expect(back.up == [.message("last", .atLeastOnce, 3)])
        #expect(back.down == [.ack(.puback, 1), .ack(.pubrec, 2)])
        #expect(back.notes.last == Self.dropped(3))
        let released = try bench.device(.ack(.pubrel, 2))
        #expect(released.down == [.ack(.pubcomp, 2)] && released.up.isEmpty)
        #expect(try bench.broker(.ack(.puback, 3)).down == [.ack(.puback, 3)])
        #expect(bench.budget.usedBytes == 0)
        // The identifiers are free for other messages.
        for id: UInt16 in [1, 2] { #expect(try bench.device(.message("b", .exactlyOnce, id)).up.count == 1) }
    }

    /// 3.1 devices send PUBREL without PUBREC now and then, and so may others.
    @Test func aDeviceThatDoesNotWaitForPubrecIsAnsweredToo() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.device(Self.message(.exactlyOnce, 2, 1))
        _ = try bench.device(.ack(.pubrel, 2))
        bench.clock.advance(.seconds(1))
        let back = try bench.comeBack(true)
        #expect(back.up.isEmpty && back.down == [.ack(.pubrec, 2), .ack(.pubcomp, 2)])
        #expect(bench.budget.usedBytes == 0)
    }

    /// The broker may have the message. It would wait for its end, and take the next message with that identifier for it.
    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func aMessageThatTheBrokerMayHaveIsSentAgain(_ qos: QoS) throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(Self.message(qos, 2, 10))
        try bench.lose()
        bench.clock.advance(.seconds(60))
        let back = try bench.comeBack(true)
        #expect(back.up == [Self.message(qos, 2, 1).again] && back.down.isEmpty)
        #expect(back.notes == [.resumed(.newLeg(isSessionPresent: true, resent: 1))])
    }

    /// What cannot be understood is left to the broker, and an interval of 0 as well.
    @Test func whatSaysNothingOfItsTimeGoesUp() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        let odd = Self.message(.atLeastOnce, 0x0102, 5)
        var bytes = try odd.encode(version: .v5_0)
        // The packet identifier follows the topic, which has one character.
        bytes.setInteger(UInt16(0), at: bytes.readerIndex + 5)
        let frame = try Frame(packet: bytes, version: .v5_0, reading: .lenient)
        _ = bench.bench.session.deviceSent(.packet(frame))
        _ = try bench.device(Self.message(.atLeastOnce, 1, 0))
        bench.clock.advance(.seconds(4))
        _ = try bench.ready()
        let back = try bench.bench.broker(.connack(Connack(sessionPresent: true)))
        #expect(back.toDevice.isEmpty && back.toUplink.count == 2 && back.end == nil)
        #expect(try HoldBench.packets([back.toUplink[1]], .v5_0) == [Self.message(.atLeastOnce, 1, 0)])
    }

    /// One message of two with the same identifier.
    @Test func anIdentifierThatIsUsedTwice() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.device(.message("a", .exactlyOnce, 7))
        _ = try bench.device(Self.message(.exactlyOnce, 7, 1))
        bench.clock.advance(.seconds(1))
        let back = try bench.comeBack(true)
        #expect(back.up == [.message("a", .exactlyOnce, 7)] && back.down.isEmpty)
        #expect(try bench.broker(.ack(.pubrec, 7)).down == [.ack(.pubrec, 7)])
        #expect(try bench.device(.ack(.pubrel, 7)).up == [.ack(.pubrel, 7)])
        #expect(try bench.broker(.ack(.pubcomp, 7)).down == [.ack(.pubcomp, 7)])
        #expect(bench.budget.usedBytes == 0)
    }

    /// PUBREL for a message at QoS 1 that waits means nothing.
    @Test func nothingIsLeftOfAnExpiredFlow() throws {
        var bench = try HoldBench.connected(.v5_0)
        try bench.lose()
        _ = try bench.device(Self.message(.atLeastOnce, 3, 1))
        _ = try bench.device(.ack(.pubrel, 3))
        bench.clock.advance(.seconds(1))
        let back = try bench.comeBack(true)
        #expect(back.up.isEmpty && back.down == [.ack(.puback, 3)])
        #expect(try bench.device(.message("b", .exactlyOnce, 3)).up.count == 1)
        #expect(try bench.broker(.ack(.pubrec, 3)).up.isEmpty)
    }

    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func aMessageThatWasSentIsDroppedWithTheBrokersSession(_ qos: QoS) throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.device(Self.message(qos, 1, 10))
        if qos == .exactlyOnce { _ = try bench.broker(.ack(.pubrec, 1)) }
        try bench.lose()
        bench.clock.advance(.seconds(11))
        let back = try bench.comeBack(false)
        #expect(back.up.isEmpty && back.down == (qos == .atLeastOnce ? [.ack(.puback, 1)] : []))
        if qos == .exactlyOnce { #expect(try bench.device(.ack(.pubrel, 1)).down == [.ack(.pubcomp, 1)]) }
        #expect(bench.budget.usedBytes == 0)
    }

    /// A leg that was only silent, and a window of the broker that is full.
    @Test func theTimeCountsWhereverAMessageWaits() throws {
        var bench = try HoldBench.connected(.v5_0)
        _ = try bench.silence()
        _ = try bench.device(Self.message(.atLeastOnce, 1, 5))
        _ = try bench.device(Self.message(.atLeastOnce, 2, 9))
        bench.clock.advance(.seconds(5))
        let answered = try bench.answer(after: .seconds(5))
        #expect(answered.up == [Self.message(.atLeastOnce, 2, 4)] && answered.down == [.ack(.puback, 1)])
        #expect(answered.notes == [Self.dropped(1), .resumed(.sameLeg)])
        try bench.lose()
        _ = try bench.device(Self.message(.atLeastOnce, 3, 10))
        _ = try bench.device(Self.message(.atLeastOnce, 4, 20))
        _ = try bench.comeBack(true, [.receiveMaximum(1)])
        bench.clock.advance(.seconds(10))
        let next = try bench.broker(.ack(.puback, 2))
        #expect(next.up == [Self.message(.atLeastOnce, 4, 10)])
        #expect(next.down == [.ack(.puback, 3), .ack(.puback, 2)])
    }

    @Test(arguments: [0, 1])
    func aLongMessage(_ piecesBefore: Int) throws {
        var bench = try HoldBench.connected(.v5_0)
        let publish = PublishHead(
            qos: .exactlyOnce, topic: "long", packetID: 7, properties: [.messageExpiryInterval(60)])
        let head = try publish.encode(version: .v5_0, payloadLength: 200)
        let begin = StreamedPublish(head: head, flags: 0b100, publish: publish, payloadLength: 200)
        let pieces = ["a", "b"].map { ByteBuffer(string: String(repeating: $0, count: 100)) }
        try bench.lose()
        _ = bench.bench.session.deviceSent(.publishBegin(begin))
        for piece in pieces.prefix(piecesBefore) { _ = bench.bench.session.deviceSent(.payload(piece, isLast: false)) }
        bench.clock.advance(.seconds(50))
        _ = try bench.ready()
        let back = try bench.bench.broker(.connack(Connack(sessionPresent: true)))
        let rest = pieces.dropFirst(piecesBefore).flatMap { piece in
            bench.bench.session.deviceSent(.payload(piece, isLast: piece == pieces.last))
        }
        let whole = try HoldBench.packets(back.toUplink + rest.toUplink, .v5_0)
        guard case .publish(let sent, let payload)? = whole.first else {
            Issue.record("no PUBLISH")
            return
        }
        #expect(sent.properties == [.messageExpiryInterval(10)] && payload.readableBytes == 200)
        // All of it is there, and its time is over.
        try bench.lose()
        bench.clock.advance(.seconds(10))
        let over = try bench.comeBack(false)
        #expect(over.up.isEmpty && over.down == [.ack(.pubrec, 7)] && over.notes.last == Self.dropped(1))
        #expect(bench.budget.usedBytes == 0)
    }

    private static func withWill() throws -> HoldBench {
        try .connected(.v5_0) {
            $0.will = Will(topic: "lwt", payload: ByteBuffer(string: "Offline"), retain: true)
        }
    }

    /// The last message of the will's topic, which the bridge repeats.
    @Test func theBirthMessage() throws {
        var bench = try Self.withWill()
        _ = try bench.device(.publish("lwt", retain: true, [.messageExpiryInterval(60)]))
        bench.clock.advance(.seconds(50))
        try bench.lose()
        #expect(try bench.comeBack(true).up == [.publish("lwt", retain: true, [.messageExpiryInterval(10)])])
        bench.clock.advance(.seconds(10))
        try bench.lose()
        #expect(try bench.comeBack(true).up.isEmpty)
    }

    /// A message that is dropped does not stand for the birth message.
    @Test(arguments: [QoS.atLeastOnce, .exactlyOnce])
    func theBirthMessageGoesOutForOneThatIsDropped(_ qos: QoS) throws {
        var bench = try Self.withWill()
        _ = try bench.device(.publish("lwt", qos: qos, id: 1, retain: true, [.messageExpiryInterval(10)]))
        if qos == .exactlyOnce { _ = try bench.broker(.ack(.pubrec, 1)) }
        _ = try bench.device(.publish("lwt", retain: true))
        try bench.lose()
        bench.clock.advance(.seconds(10))
        #expect(try bench.comeBack(false).up == [.publish("lwt", retain: true)])
    }
}
