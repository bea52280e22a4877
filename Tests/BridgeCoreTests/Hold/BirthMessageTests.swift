import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The bridge repeats a device's last message to the topic of its retained will when the device is back.
@Suite struct BirthMessageTests {
    private static let versions: [MQTTVersion] = [.v3_1, .v3_1_1, .v5_0]

    private static func message(
        _ payload: String, _ qos: QoS = .atMostOnce, _ id: UInt16? = nil, topic: String = "lwt", retain: Bool = true,
        properties: Properties = []
    ) -> Packet {
        .publish(
            PublishHead(qos: qos, retain: retain, topic: topic, packetID: id, properties: properties),
            payload: ByteBuffer(string: payload))
    }

    private static func connected(
        _ version: MQTTVersion, buffer: Int = 1_048_576, routes: [Route] = [],
        connack: Connack = Connack()
    ) throws -> HoldBench {
        try HoldBench.connected(version, buffer: buffer, routes: routes, connack: connack) {
            $0.will = Will(topic: "lwt", payload: ByteBuffer(string: "Offline"), retain: true)
        }
    }

    @Test(arguments: versions, [true, false])
    func itComesFirst(_ version: MQTTVersion, _ isPresent: Bool) throws {
        var bench = try Self.connected(version)
        #expect(try bench.device(Self.message("Online")).up == [Self.message("Online")])
        _ = try bench.device(.subscribe(9, ("a", .atLeastOnce)))
        _ = try bench.broker(.suback(9, [1]))
        _ = try bench.device(.message("state", .atLeastOnce, 1))
        try bench.lose()
        _ = try bench.device(.message("queued"))
        let back = try bench.comeBack(isPresent)
        #expect(back.up.first == Self.message("Online") && back.down.isEmpty)
        #expect(back.up.count { $0 == Self.message("Online") } == 1 && back.up.last == .message("queued"))
        // It is repeated as often as needed.
        try bench.lose()
        #expect(try bench.comeBack(isPresent).up.first == Self.message("Online"))
    }

    /// At QoS 1 the bridge gets the acknowledgement; at QoS 2 the message has been published once already.
    @Test(arguments: versions, [QoS.atLeastOnce, .exactlyOnce])
    func withAnAcknowledgement(_ version: MQTTVersion, _ qos: QoS) throws {
        var bench = try Self.connected(version)
        _ = try bench.device(Self.message("Online", qos, 1))
        if qos == .atLeastOnce {
            _ = try bench.broker(.ack(.puback, 1))
        } else {
            _ = try bench.broker(.ack(.pubrec, 1))
            _ = try bench.device(.ack(.pubrel, 1))
            _ = try bench.broker(.ack(.pubcomp, 1))
        }
        try bench.lose()
        let back = try bench.comeBack(true)
        guard case .publish(let head, let payload)? = back.up.first, let id = head.packetID else {
            Issue.record("\(back.up)")
            return
        }
        #expect(back.up.count == 1 && head.qos == .atLeastOnce && head.retain && !head.isDuplicate)
        #expect(String(buffer: payload) == "Online")
        guard case .resumed(.newLeg(_, resent: 1))? = back.notes.first else { return #expect(back.notes.isEmpty) }
        // A message of the device with the same identifier waits.
        #expect(try bench.device(.message("a", .atLeastOnce, id)).up.isEmpty)
        let acknowledged = try bench.broker(.ack(.puback, id))
        #expect(acknowledged.down.isEmpty && acknowledged.up == [.message("a", .atLeastOnce, id)])
        #expect(try bench.broker(.ack(.puback, id)).down == [.ack(.puback, id)])
    }

    /// The device may use the whole Receive Maximum, and the message takes a place of it.
    @Test func theReceiveMaximumIsKept() throws {
        var bench = try Self.connected(.v5_0, connack: Connack(properties: [.receiveMaximum(2)]))
        _ = try bench.device(Self.message("Online", .atLeastOnce, 1))
        _ = try bench.broker(.ack(.puback, 1))
        for id in 1...2 as ClosedRange<UInt16> { _ = try bench.device(.message("a", .atLeastOnce, id)) }
        try bench.lose()
        let back = try bench.comeBack(true, [.receiveMaximum(2)])
        #expect(back.up.count == 2 && back.up.last == Packet.message("a", .atLeastOnce, 1).again)
        guard case .publish(let head, _)? = back.up.first, let own = head.packetID else { return }
        #expect(try bench.broker(.ack(.puback, own)).up == [Packet.message("a", .atLeastOnce, 2).again])
        // From then on the device keeps to it by itself.
        for id in 3...5 as ClosedRange<UInt16> {
            #expect(try bench.device(.message("b", .atLeastOnce, id)).up.count == 1)
        }
    }

    @Test func theLastOneCounts() throws {
        var bench = try Self.connected(.v3_1_1)
        _ = try bench.device(Self.message("Online"))
        _ = try bench.device(Self.message("Asleep"))
        _ = try bench.device(Self.message("not retained", retain: false))
        _ = try bench.device(Self.message("another topic", topic: "lwt/x"))
        try bench.lose()
        #expect(try bench.comeBack(true).up == [Self.message("Asleep")])
        // An empty message clears the topic, and does so again.
        _ = try bench.device(Self.message(""))
        try bench.lose()
        #expect(try bench.comeBack(false).up == [Self.message("")])
    }

    /// A message that waits or goes again needs no repetition.
    @Test(arguments: [true, false]) func whatIsComingIsNotSaidTwice(_ isPresent: Bool) throws {
        var bench = try Self.connected(.v5_0)
        _ = try bench.device(Self.message("Online"))
        try bench.lose()
        _ = try bench.device(.message("state"))
        _ = try bench.device(Self.message("Asleep", .exactlyOnce, 1))
        #expect(try bench.comeBack(isPresent).up == [.message("state"), Self.message("Asleep", .exactlyOnce, 1)])
        // At QoS 2 the broker may have had the message before the will came, and accepts it only once: so it is
        // repeated as well.
        try bench.lose()
        let again = try bench.comeBack(isPresent)
        let asleep = Self.message("Asleep", .exactlyOnce, 1)
        if isPresent {
            guard case .publish(let head, let payload)? = again.up.first else { throw HoldBench.BenchError.noConnect }
            #expect(head.qos == .atLeastOnce && head.retain && String(buffer: payload) == "Asleep")
            #expect(again.up.dropFirst() == [asleep.again])
        } else {
            #expect(again.up == [asleep])
        }
        // If the broker has sent PUBREC, the message is published again or not at all.
        _ = try bench.broker(.ack(.pubrec, 1))
        try bench.lose()
        let last = try bench.comeBack(isPresent)
        #expect(last.up.count == 1 && (last.up == [asleep]) == !isPresent)
    }

    /// A message at QoS 0 is lost, and the one before it is repeated.
    @Test(arguments: [true, false], ["Awake", ""]) func theLastOneStaysTheLast(_ isPresent: Bool, _ last: String) throws
    {
        var bench = try Self.connected(.v5_0)
        _ = try bench.device(Self.message("Asleep", .atLeastOnce, 1))
        _ = try bench.device(Self.message(last))
        for _ in 0..<2 {
            try bench.lose()
            let back = try bench.comeBack(isPresent)
            #expect(back.up.count == 2 && back.up.last == Self.message(last))
        }
        _ = try bench.broker(.ack(.puback, 1))
        // What waits itself is not said twice.
        try bench.lose()
        _ = try bench.device(Self.message("Online", .atLeastOnce, 2))
        _ = try bench.device(Self.message(last))
        let back = try bench.comeBack(isPresent)
        #expect(back.up == [Self.message("Online", .atLeastOnce, 2), Self.message(last)])
    }

    /// Other sessions have filled the budget for a moment.
    @Test func aFullBudgetIsNoReasonToForgetIt() throws {
        var bench = try Self.connected(.v5_0)
        let other = HoldShare(bench.budget)
        other.charge(bench.budget.limit)
        _ = try bench.device(Self.message("Online"))
        _ = try bench.device(.subscribe(1, ("a", .atLeastOnce)))
        _ = try bench.broker(.suback(1, [1]))
        other.giveBack(other.bytes)
        #expect(try bench.lose().end == nil)
        #expect(try bench.comeBack(true).up == [Self.message("Online")])
    }

    @Test func aDeviceWithoutARetainedWillIsLeftAsItIs() throws {
        for hasWill in [true, false] {
            var bench = try HoldBench.connected(.v5_0) { if hasWill { $0.will = Will(topic: "lwt") } }
            _ = try bench.device(Self.message("Online"))
            #expect(bench.budget.usedBytes == 0)
            try bench.lose()
            #expect(try bench.comeBack(true).up.isEmpty)
        }
        var bench = try Self.connected(.v5_0)
        try bench.lose()
        #expect(try bench.comeBack(true).up.isEmpty)
        // The broker has not noticed that a leg was only suspended.
        _ = try bench.device(Self.message("Online"))
        _ = try bench.silence()
        #expect(try bench.answer(after: .seconds(1)).up.isEmpty)
    }

    // MARK: Topics

    /// Both topics are compared as the broker has them, whatever the device calls them.
    @Test func behindTheRoutes() throws {
        var bench = try Self.connected(.v5_0, routes: [Route(local: "#", remote: "site/#")])
        _ = try bench.device(Self.message("Online"))
        try bench.lose()
        #expect(try bench.comeBack(true).up == [Self.message("Online", topic: "site/lwt")])
        // If a route removes RETAIN, nothing stays in the topic.
        bench = try Self.connected(.v5_0, routes: [Route(local: "#", remote: "site/#", retain: .strip)])
        _ = try bench.device(Self.message("Online"))
        try bench.lose()
        #expect(try bench.comeBack(true).up.isEmpty)
    }

    @Test func behindAnAlias() throws {
        var bench = try Self.connected(.v5_0, connack: Connack(properties: [.topicAliasMaximum(2)]))
        _ = try bench.device(Self.message("Online", properties: [.topicAlias(1)]))
        let text = Property.contentType("text/plain")
        _ = try bench.device(Self.message("Asleep", topic: "", properties: [.topicAlias(1), text]))
        try bench.lose()
        #expect(try bench.comeBack(true).up == [Self.message("Asleep", properties: [text])])
    }

    // MARK: Room

    @Test func itCounts() throws {
        var bench = try Self.connected(.v5_0, buffer: 4_096)
        _ = try bench.device(Self.message(String(repeating: "x", count: 800)))
        let used = bench.budget.usedBytes
        #expect((800...1_024).contains(used))
        // What is left for the rest.
        try bench.lose()
        var count = 0
        while bench.accepts {
            _ = try bench.device(.message("a"))
            count += 1
        }
        #expect(bench.budget.usedBytes - used < 4_096 - used + 200 && count < 26)
        _ = try bench.comeBack(true)
        #expect(bench.budget.usedBytes == used)
        // Another message replaces it.
        _ = try bench.device(Self.message("Online"))
        #expect((128..<200).contains(bench.budget.usedBytes))
        _ = try bench.device(.disconnect(Disconnect()))
        bench = try Self.connected(.v5_0)
        #expect(bench.budget.usedBytes == 0)
    }

    /// It would be wrong to repeat the message before that one.
    @Test func oneThatIsTooLongEndsWhatWas() throws {
        for (buffer, length) in [(4_096, 1_100), (1_048_576, 17_000)] {
            var bench = try Self.connected(.v5_0, buffer: buffer)
            _ = try bench.device(Self.message("Online"))
            _ = try bench.device(Self.message(String(repeating: "x", count: length)))
            #expect(bench.budget.usedBytes == 0)
            try bench.lose()
            #expect(try bench.comeBack(true).up.isEmpty)
        }
        var bench = try Self.connected(.v5_0)
        _ = try bench.device(Self.message("Online"))
        let head = PublishHead(retain: true, topic: "lwt")
        let bytes = try head.encode(version: .v5_0, payloadLength: 5)
        _ = bench.bench.session.deviceSent(
            .publishBegin(StreamedPublish(head: bytes, flags: 1, publish: head, payloadLength: 5)))
        _ = bench.bench.session.deviceSent(.payload(ByteBuffer(string: "12345"), isLast: true))
        try bench.lose()
        #expect(try bench.comeBack(true).up.isEmpty)
    }

    @Test func whatTheBrokerTakesNoMoreIsLeftOut() throws {
        let limits: [Properties] = [[.retainAvailable(false)], [.maximumPacketSize(10)], [.maximumQoS(.atMostOnce)]]
        for properties in limits {
            var bench = try Self.connected(.v5_0)
            _ = try bench.device(Self.message("Online", .atLeastOnce, 1))
            _ = try bench.broker(.ack(.puback, 1))
            try bench.lose()
            let back = try bench.comeBack(true, properties)
            #expect(back.up.isEmpty && back.end == nil)
        }
    }
}
