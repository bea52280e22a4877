import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Routing: PUBLISH of the broker")
struct RoutingPublishDownTests {
    static let both: [MQTTVersion] = [.v3_1_1, .v5_0]

    @Test("a topic is mapped back", arguments: both)
    func mapped(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.broker(.publish("device/d1/commands/go", qos: .exactlyOnce, id: 4, retain: true))
                == .forward(.publish("commands/go", qos: .exactlyOnce, id: 4, retain: true)))
        #expect(try harness.broker(.publish("site/lamps/7")) == .forward(.publish("rooms/7/lamp")))
        let same = Packet.publish("same/x", qos: .atLeastOnce, id: 5)
        #expect(try harness.broker(same) == .unchanged(same))
        #expect(try harness.broker(.pubrel(4)) == .unchanged(.pubrel(4)))
    }

    @Test("RETAIN is stripped if the route says so", arguments: both)
    func retain(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(try harness.broker(.publish("r/flat/x", retain: true)) == .forward(.publish("flat/x")))
    }

    @Test("pass: a message that matches no route is passed unchanged", arguments: both)
    func pass(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .pass)
        let packet = Packet.publish("device/d1/telemetry/x", qos: .exactlyOnce, id: 4)
        #expect(try harness.broker(packet) == .unchanged(packet))
    }

    @Test(
        "drop and reject: a message that matches no route is acknowledged, discarded and counted", arguments: both,
        [UnroutedPolicy.drop, .reject])
    func swallowed(version: MQTTVersion, unrouted: UnroutedPolicy) throws {
        var harness = try RoutingHarness(version, unrouted)
        #expect(try harness.broker(.publish("device/d1/telemetry/x")) == .nothing)
        #expect(try harness.broker(.publish("device/d2/commands/x", qos: .atLeastOnce, id: 1)) == .reply(.puback(1)))
        #expect(try harness.broker(.publish("$SYS/x", qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2)))
        #expect(try harness.broker(.publish("$SYS/x", qos: .exactlyOnce, id: 2, dup: true)) == .reply(.pubrec(2)))
        #expect(try harness.broker(.pubrel(2)) == .reply(.pubcomp(2)))
        #expect(try harness.broker(.pubrel(2)) == .unchanged(.pubrel(2)))
        #expect(harness.router.counters.droppedDown == 3)
    }

    @Test("each direction has its own packet identifiers", arguments: both)
    func packetIDs(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .drop)
        #expect(try harness.broker(.publish("other", qos: .exactlyOnce, id: 2)) == .reply(.pubrec(2)))
        #expect(try harness.device(.pubrel(2)) == .unchanged(.pubrel(2)))
        #expect(try harness.device(.publish("other", qos: .exactlyOnce, id: 3)) == .reply(.pubrec(3)))
        #expect(try harness.broker(.pubrel(3)) == .unchanged(.pubrel(3)))
        #expect(try harness.broker(.pubrel(2)) == .reply(.pubcomp(2)))
        #expect(try harness.device(.pubrel(3)) == .reply(.pubcomp(3)))
    }

    @Test("a message whose topic becomes too long is acknowledged and discarded")
    func tooLong() throws {
        let routes = [Route(local: "long/#", remote: "l/#")]
        var harness = try RoutingHarness(.v3_1_1, .pass, routes: routes)
        let topic = "l/" + String(repeating: "x", count: 65_531)
        #expect(try harness.broker(.publish(topic, qos: .atLeastOnce, id: 1)) == .reply(.puback(1)))
        #expect(try harness.broker(.publish(String(topic.dropLast(1)))) != .nothing)
        #expect(harness.router.counters.droppedDown == 1)
    }

    @Test("a Response Topic becomes local if a route matches", arguments: UnroutedPolicy.allCases)
    func response(unrouted: UnroutedPolicy) throws {
        var harness = try RoutingHarness(.v5_0, unrouted)
        #expect(
            try harness.broker(.publish("device/d1/commands/go", [.responseTopic("device/d1/telemetry/r")]))
                == .forward(.publish("commands/go", [.responseTopic("telemetry/r")])))
        #expect(
            try harness.broker(.publish("device/d1/commands/go", [.responseTopic("other")]))
                == .forward(.publish("commands/go", [.responseTopic("other")])))
    }
}
