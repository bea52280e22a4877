import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Routing: PUBLISH of the device")
struct RoutingPublishUpTests {
    typealias Outcome = RoutingHarness.Outcome
    static let both: [MQTTVersion] = [.v3_1_1, .v5_0]

    @Test("a topic is mapped, and the payload follows without being copied", arguments: both)
    func mapped(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        for (qos, id) in [(QoS.atMostOnce, nil), (.atLeastOnce, 7), (.exactlyOnce, 8)] as [(QoS, UInt16?)] {
            #expect(
                try harness.device(.publish("telemetry/t", qos: qos, id: id, retain: true, dup: id != nil))
                    == .forward(.publish("device/d1/telemetry/t", qos: qos, id: id, retain: true, dup: id != nil)))
        }
        let frame = try Frame(
            packet: Packet.publish("telemetry/t", payload: "payload").encode(version: version), version: version)
        let routed = try harness.router.fromDevice(frame)
        #expect(routed.forward.count == 2)
        let payload = try #require(frame.bytes.getSlice(at: frame.bytes.writerIndex - 7, length: 7))
        #expect(routed.forward.last?.sharesBytes(with: payload) == true)
    }

    @Test("a message whose topic stays the same is forwarded as it came", arguments: both)
    func same(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        let packet = Packet.publish("same/x", qos: .exactlyOnce, id: 3, retain: true)
        #expect(try harness.device(packet) == .unchanged(packet))
        #expect(try harness.device(.pubrel(3)) == .unchanged(.pubrel(3)))
        #expect(harness.router.counters == RoutingCounters())
    }

    @Test("a delay marker stays in front of the topic", arguments: both)
    func delayed(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.publish("$delayed/60/telemetry/t"))
                == .forward(.publish("$delayed/60/device/d1/telemetry/t")))
    }

    @Test("properties are forwarded in their order")
    func properties() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        let properties: Properties = [
            .userProperty(name: "b", value: "1"), .contentType("text/plain"), .userProperty(name: "a", value: "2"),
            .messageExpiryInterval(30),
        ]
        #expect(
            try harness.device(.publish("telemetry/t", properties))
                == .forward(.publish("device/d1/telemetry/t", properties)))
    }

    @Test("RETAIN is stripped if the route says so", arguments: both)
    func retain(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.publish("flat/x", qos: .atLeastOnce, id: 1, retain: true))
                == .forward(.publish("r/flat/x", qos: .atLeastOnce, id: 1)))
    }

    @Test("a route that only goes down matches nothing that goes up", arguments: both)
    func wrongDirection(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .drop)
        #expect(try harness.device(.publish("commands/go")) == .nothing)
        #expect(harness.router.counters.droppedUp == 1)
    }

    // MARK: QoS

    @Test("1 -> 0: the bridge acknowledges the message", arguments: both)
    func oneToZero(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.publish("low/x", qos: .atLeastOnce, id: 5, dup: true))
                == .forward(.publish("r/low/x"), reply: .puback(5)))
        #expect(try harness.device(.publish("low/x")) == .forward(.publish("r/low/x")))
    }

    @Test("2 -> 0: the bridge answers the QoS 2 flow, and does not forward a repeated PUBLISH", arguments: both)
    func twoToZero(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        let packet = Packet.publish("low/x", qos: .exactlyOnce, id: 5)
        #expect(try harness.device(packet) == .forward(.publish("r/low/x"), reply: .pubrec(5)))
        #expect(try harness.device(.publish("low/x", qos: .exactlyOnce, id: 5, dup: true)) == .reply(.pubrec(5)))
        #expect(try harness.device(.pubrel(5)) == .reply(.pubcomp(5)))
        #expect(try harness.device(.pubrel(5)) == .unchanged(.pubrel(5)))
        #expect(try harness.device(packet) == .forward(.publish("r/low/x"), reply: .pubrec(5)))
    }

    @Test("2 -> 1: PUBACK becomes PUBREC, and the bridge answers PUBREL", arguments: both)
    func twoToOne(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 5))
                == .forward(.publish("r/mid/x", qos: .atLeastOnce, id: 5)))
        // A PUBLISH that is repeated before the broker has answered is forwarded again.
        #expect(
            try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 5, dup: true))
                == .forward(.publish("r/mid/x", qos: .atLeastOnce, id: 5, dup: true)))
        #expect(try harness.broker(.puback(6)) == .unchanged(.puback(6)))
        #expect(try harness.broker(.puback(5)) == .forward(.pubrec(5)))
        #expect(try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 5, dup: true)) == .reply(.pubrec(5)))
        #expect(try harness.device(.pubrel(5)) == .reply(.pubcomp(5)))
        #expect(try harness.broker(.puback(5)) == .unchanged(.puback(5)))
        #expect(harness.router.cappedUp.isEmpty)
    }

    @Test("2 -> 1: the PUBREC has the broker's reason, and an error ends the flow")
    func twoToOneReasons() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        let reason: Properties = [.reasonString("no"), .userProperty(name: "a", value: "b")]
        _ = try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 5))
        #expect(
            try harness.broker(.puback(5, .noMatchingSubscribers)) == .forward(.pubrec(5, .noMatchingSubscribers)))
        #expect(try harness.device(.pubrel(5)) == .reply(.pubcomp(5)))
        _ = try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 5))
        #expect(try harness.broker(.puback(5, .notAuthorized, reason)) == .forward(.pubrec(5, .notAuthorized, reason)))
        #expect(harness.router.cappedUp.isEmpty)
    }

    @Test("a QoS at the cap or below is not changed", arguments: both)
    func belowCap(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.publish("mid/x", qos: .atLeastOnce, id: 5))
                == .forward(.publish("r/mid/x", qos: .atLeastOnce, id: 5)))
        #expect(try harness.broker(.puback(5)) == .unchanged(.puback(5)))
    }

    // MARK: unrouted

    @Test(
        "unrouted: pass forwards the message as it came",
        arguments: both, ["other", "$SYS/x", "$share/g/telemetry/x", "$delayed/x/telemetry/t"])
    func pass(version: MQTTVersion, topic: String) throws {
        var harness = try RoutingHarness(version, .pass)
        let packet = Packet.publish(topic, qos: .exactlyOnce, id: 9, retain: true)
        #expect(try harness.device(packet) == .unchanged(packet))
    }

    @Test("unrouted: drop acknowledges, discards and counts", arguments: both)
    func drop(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .drop)
        #expect(try harness.device(.publish("other")) == .nothing)
        #expect(try harness.device(.publish("other", qos: .atLeastOnce, id: 1)) == .reply(.puback(1)))
        #expect(try harness.device(.publish("other", qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2)))
        #expect(try harness.device(.publish("other", qos: .exactlyOnce, id: 2, dup: true)) == .reply(.pubrec(2)))
        #expect(try harness.device(.pubrel(2)) == .reply(.pubcomp(2)))
        #expect(try harness.device(.pubrel(2)) == .unchanged(.pubrel(2)))
        #expect(harness.router.counters.droppedUp == 3)
        #expect(harness.router.counters.rejectedUp == 0)
    }

    @Test("unrouted: reject in 5.0 answers with 0x87, and closes the session at QoS 0")
    func reject5() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        #expect(try harness.device(.publish("other", qos: .atLeastOnce, id: 1)) == .reply(.puback(1, .notAuthorized)))
        #expect(try harness.device(.publish("other", qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2, .notAuthorized)))
        #expect(harness.router.answeredUp.isEmpty)
        #expect(try harness.device(.publish("other")) == .close(.notAuthorized))
        #expect(harness.router.counters.rejectedUp == 3)
    }

    @Test("unrouted: reject in 3.x closes the session", arguments: [MQTTVersion.v3_1, .v3_1_1], QoS.allCases)
    func reject3(version: MQTTVersion, qos: QoS) throws {
        var harness = try RoutingHarness(version, .reject)
        let id: UInt16? = qos == .atMostOnce ? nil : 1
        #expect(try harness.device(.publish("other", qos: qos, id: id)) == .close(.notAuthorized))
        #expect(harness.router.counters.rejectedUp == 1)
    }

    @Test("a refusal names the topic in a form that is safe to print")
    func refusalText() throws {
        var harness = try RoutingHarness(.v3_1_1, .reject)
        let packet = try Packet.publish("a\u{1B}b").encode(version: .v3_1_1)
        let routed = try harness.router.fromDevice(Frame(packet: packet, version: .v3_1_1))
        #expect(routed.close?.message == #"the topic of a PUBLISH, "a\u{1B}b", matches no route"#)
    }

    @Test("a topic that becomes too long is refused, whatever the policy", arguments: UnroutedPolicy.allCases)
    func tooLong(unrouted: UnroutedPolicy) throws {
        let longest = "telemetry/" + String(repeating: "x", count: 65_535 - "device/d1/telemetry/".utf8.count)
        var harness = try RoutingHarness(.v5_0, unrouted)
        #expect(
            try harness.device(.publish(longest, qos: .atLeastOnce, id: 1))
                == .forward(.publish("device/d1/" + longest, qos: .atLeastOnce, id: 1)))
        #expect(
            try harness.device(.publish(longest + "x", qos: .atLeastOnce, id: 1))
                == .reply(.puback(1, .topicNameInvalid)))
        #expect(try harness.device(.publish(longest + "x")) == .close(.topicNameInvalid))
        var old = try RoutingHarness(.v3_1_1, unrouted)
        #expect(try old.device(.publish(longest + "x")) == .close(.topicNameInvalid))
    }

    // MARK: Response Topic

    @Test(
        "a Response Topic becomes remote by a route of any direction",
        arguments: [
            ("commands/r", "device/d1/commands/r"), ("telemetry/r", "device/d1/telemetry/r"), ("same/r", "same/r"),
        ], UnroutedPolicy.allCases)
    func response(topics: (String, String), unrouted: UnroutedPolicy) throws {
        var harness = try RoutingHarness(.v5_0, unrouted)
        let properties: Properties = [.responseTopic(topics.0), .correlationData(ByteBuffer(string: "c"))]
        let mapped: Properties = [.responseTopic(topics.1), .correlationData(ByteBuffer(string: "c"))]
        let packet = Packet.publish("same/x", properties)
        let expected = topics.0 == topics.1 ? Outcome.unchanged(packet) : .forward(.publish("same/x", mapped))
        #expect(try harness.device(packet) == expected)
    }

    @Test("a Response Topic that matches no route is passed or removed, or its PUBLISH is refused")
    func responseUnrouted() throws {
        let packet = Packet.publish("same/x", qos: .atLeastOnce, id: 1, [.responseTopic("other"), .contentType("t")])
        var pass = try RoutingHarness(.v5_0, .pass)
        #expect(try pass.device(packet) == .unchanged(packet))
        var drop = try RoutingHarness(.v5_0, .drop)
        #expect(
            try drop.device(packet) == .forward(.publish("same/x", qos: .atLeastOnce, id: 1, [.contentType("t")])))
        var reject = try RoutingHarness(.v5_0, .reject)
        #expect(try reject.device(packet) == .reply(.puback(1, .notAuthorized)))
        #expect(try reject.device(.publish("same/x", [.responseTopic("other")])) == .close(.notAuthorized))
        #expect(reject.router.counters.rejectedUp == 2)
    }

    @Test("a refused message leaves no flow behind")
    func refusedCapped() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        #expect(
            try harness.device(.publish("mid/x", qos: .exactlyOnce, id: 1, [.responseTopic("other")]))
                == .reply(.pubrec(1, .notAuthorized)))
        #expect(harness.router.cappedUp.isEmpty)
        #expect(try harness.broker(.puback(1)) == .unchanged(.puback(1)))
    }
}
