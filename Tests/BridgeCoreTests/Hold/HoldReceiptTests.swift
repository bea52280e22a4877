import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Messages that a route lowers to QoS 0, and that wait for the broker: the bridge itself acknowledges them.
@Suite struct HoldReceiptTests {
    private static let versions: [MQTTVersion] = [.v3_1, .v3_1_1, .v5_0]
    private static let routes = [
        Route(local: "a", remote: "r/a", maximumQoS: 0), Route(local: "b", remote: "r/b"),
    ]

    private static func bench(
        _ version: MQTTVersion, buffer: Int = 1_048_576, qos0: HoldConfiguration.QoS0 = .keep,
        connack: Connack = Connack()
    ) throws -> HoldBench {
        try HoldBench.connected(version, buffer: buffer, qos0: qos0, routes: routes, connack: connack)
    }

    @Test(arguments: versions)
    func onALivingUplinkItIsAcknowledgedAtOnce(_ version: MQTTVersion) throws {
        var bench = try Self.bench(version)
        let sent = try bench.device(.message("a", .atLeastOnce, 1))
        #expect(sent.up == [.message("r/a")] && sent.down == [.ack(.puback, 1)])
        #expect(try bench.device(.message("a", .exactlyOnce, 2)).down == [.ack(.pubrec, 2)])
        #expect(try bench.device(.message("a", .exactlyOnce, 2).again).down == [.ack(.pubrec, 2)])
        #expect(try bench.device(.ack(.pubrel, 2)).down == [.ack(.pubcomp, 2)])
    }

    /// The device forgets a message that is acknowledged, and the bridge may still lose it.
    @Test(arguments: versions)
    func whileHeldItIsAcknowledgedWhenItHasGoneOut(_ version: MQTTVersion) throws {
        var bench = try Self.bench(version)
        try bench.lose()
        for packet in [
            Packet.message("a", .atLeastOnce, 1), .message("b", .atLeastOnce, 2), .message("a", .exactlyOnce, 3),
        ] {
            let kept = try bench.device(packet)
            #expect(kept.up.isEmpty && kept.down.isEmpty)
        }
        let back = try bench.comeBack(version != .v3_1)
        #expect(back.up == [.message("r/a"), .message("r/b", .atLeastOnce, 2), .message("r/a")])
        #expect(back.down == [.ack(.puback, 1), .ack(.pubrec, 3)])
        #expect(try bench.device(.ack(.pubrel, 3)).down == [.ack(.pubcomp, 3)])
        #expect(try bench.broker(.ack(.puback, 2)).down == [.ack(.puback, 2)])
        #expect(bench.budget.usedBytes == 0)
    }

    @Test(arguments: versions)
    func onASilentPathItWaitsToo(_ version: MQTTVersion) throws {
        var bench = try Self.bench(version)
        _ = try bench.silence()
        #expect(try bench.device(.message("a", .atLeastOnce, 1)).down.isEmpty)
        let back = try bench.answer(after: .seconds(1))
        #expect(back.up == [.message("r/a")] && back.down == [.ack(.puback, 1)])
    }

    @Test func aDeviceThatIsGivenUpHasNoAcknowledgement() throws {
        var bench = try Self.bench(.v3_1_1)
        try bench.lose()
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let end = bench.bench.session.timedOut(.hold)
        #expect(end.closesDevice && end.toDevice.isEmpty)
    }

    /// The device counts on it like on any message at QoS 1.
    @Test func itMakesNoRoomForOthers() throws {
        var bench = try Self.bench(.v3_1_1, buffer: 4_096, qos0: .dropOldest)
        try bench.lose()
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        var count: UInt16 = 2
        while bench.accepts, count < 100 {
            _ = try bench.device(.message("b", .atLeastOnce, count))
            count += 1
        }
        #expect(count < 100)
        let back = try bench.comeBack(true)
        #expect(back.up.first == .message("r/a") && back.down == [.ack(.puback, 1)])
    }

    @Test func aRepetitionIsAnsweredOnce() throws {
        var bench = try Self.bench(.v3_1_1)
        try bench.lose()
        for packet in [Packet.message("a", .atLeastOnce, 1), .message("a", .exactlyOnce, 2)] {
            #expect(try bench.device(packet).down.isEmpty)
            #expect(try bench.device(packet.again).down.isEmpty)
        }
        let back = try bench.comeBack(true)
        #expect(back.up == [.message("r/a"), .message("r/a")])
        #expect(back.down == [.ack(.puback, 1), .ack(.pubrec, 2)])
    }

    @Test func aDeviceThatDoesNotWaitForPubrecIsAnsweredInOrder() throws {
        var bench = try Self.bench(.v3_1_1)
        try bench.lose()
        _ = try bench.device(.message("a", .exactlyOnce, 2))
        #expect(try bench.device(.ack(.pubrel, 2)).down.isEmpty)
        #expect(try bench.comeBack(true).down == [.ack(.pubrec, 2), .ack(.pubcomp, 2)])
    }

    @Test func aMessageWhoseTimeIsOverIsAcknowledged() throws {
        var bench = try Self.bench(.v5_0)
        try bench.lose()
        _ = try bench.device(.publish("a", qos: .atLeastOnce, id: 1, [.messageExpiryInterval(1)]))
        bench.clock.advance(.seconds(1))
        let back = try bench.comeBack(true)
        #expect(back.up.isEmpty && back.down == [.ack(.puback, 1)])
        #expect(bench.budget.usedBytes == 0)
    }

    /// A message that comes in pieces.
    @Test(arguments: [false, true])
    func aLongMessage(_ hasBegun: Bool) throws {
        var bench = try Self.bench(.v3_1_1)
        if !hasBegun { try bench.lose() }
        let publish = PublishHead(qos: .atLeastOnce, topic: "a", packetID: 1)
        let head = try publish.encode(version: .v3_1_1, payloadLength: 4)
        let begin = StreamedPublish(head: head, flags: 0b0010, publish: publish, payloadLength: 4)
        _ = bench.bench.session.deviceSent(.publishBegin(begin))
        if hasBegun { try bench.lose() }
        let rest = bench.bench.session.deviceSent(.payload(ByteBuffer(string: "long"), isLast: true))
        #expect(rest.toUplink.isEmpty && rest.toDevice.isEmpty)
        let back = try bench.comeBack(true)
        #expect(back.up == [.publish(PublishHead(topic: "r/a"), payload: ByteBuffer(string: "long"))])
        #expect(back.down == [.ack(.puback, 1)])
        // On a living uplink, it has gone out with its last piece.
        _ = bench.bench.session.deviceSent(.publishBegin(begin))
        let whole = bench.bench.session.deviceSent(.payload(ByteBuffer(string: "long"), isLast: true))
        #expect(try HoldBench.packets(whole.toDevice, .v3_1_1) == [.ack(.puback, 1)])
        #expect(bench.budget.usedBytes == 0)
    }
}
