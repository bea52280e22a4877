import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Routing: the will")
struct RoutingWillTests {
    private func connect(_ version: MQTTVersion, _ will: Will?) -> Connect {
        Connect(
            version: version, keepAlive: 30, clientID: "d1", will: will, username: "u",
            password: ByteBuffer(string: "p"))
    }

    private func rewritten(
        _ will: Will?, version: MQTTVersion = .v5_0, unrouted: UnroutedPolicy
    ) throws -> (Connect, ConnectRefusal?, RoutingCounters) {
        var harness = try RoutingHarness(version, unrouted)
        var connect = connect(version, will)
        let refusal = harness.router.rewriteConnect(&connect)
        return (connect, refusal, harness.router.counters)
    }

    static let payload = ByteBuffer(string: "gone")

    @Test("the will is routed like a message of the device", arguments: MQTTVersion.allCases, UnroutedPolicy.allCases)
    func routed(version: MQTTVersion, unrouted: UnroutedPolicy) throws {
        for (will, expected) in [
            (
                Will(topic: "telemetry/gone", payload: Self.payload, qos: .exactlyOnce, retain: true),
                Will(topic: "device/d1/telemetry/gone", payload: Self.payload, qos: .exactlyOnce, retain: true)
            ),
            (
                Will(topic: "low/gone", qos: .exactlyOnce, retain: true),
                Will(topic: "r/low/gone", qos: .atMostOnce, retain: true)
            ),
            (
                Will(topic: "mid/gone", qos: .atMostOnce), Will(topic: "r/mid/gone", qos: .atMostOnce)
            ),
            (
                Will(topic: "flat/gone", qos: .atLeastOnce, retain: true),
                Will(topic: "r/flat/gone", qos: .atLeastOnce, retain: false)
            ),
            (Will(topic: "$delayed/5/telemetry"), Will(topic: "$delayed/5/device/d1/telemetry")),
            (Will(topic: "same/x", retain: true), Will(topic: "same/x", retain: true)),
        ] {
            let result = try rewritten(will, version: version, unrouted: unrouted)
            #expect(result.0 == connect(version, expected))
            #expect(result.1 == nil)
        }
        #expect(try rewritten(nil, version: version, unrouted: unrouted).0 == connect(version, nil))
    }

    @Test("a will that matches no route is passed or removed, or its CONNECT is refused")
    func unrouted() throws {
        let will = Will(topic: "commands/x", payload: Self.payload)
        let passed = try rewritten(will, unrouted: .pass)
        #expect(passed.0 == connect(.v5_0, will))
        #expect(passed.1 == nil)
        let dropped = try rewritten(will, unrouted: .drop)
        #expect(dropped.0 == connect(.v5_0, nil))
        #expect(dropped.1 == nil)
        #expect(dropped.2.droppedUp == 1)
        for (version, code) in [(MQTTVersion.v3_1, UInt8(5)), (.v3_1_1, 5), (.v5_0, 0x87)] {
            let refused = try rewritten(will, version: version, unrouted: .reject)
            #expect(
                refused.1
                    == ConnectRefusal(code: code, message: #"the topic of the will, "commands/x", matches no route"#))
            #expect(refused.2.rejectedUp == 1)
        }
    }

    @Test("a will whose topic becomes too long is refused", arguments: UnroutedPolicy.allCases)
    func tooLong(unrouted: UnroutedPolicy) throws {
        let will = Will(topic: "telemetry/" + String(repeating: "x", count: 65_520))
        #expect(try rewritten(will, unrouted: unrouted).1?.code == 0x90)
        #expect(try rewritten(will, version: .v3_1_1, unrouted: unrouted).1?.code == 5)
    }

    @Test("the Response Topic of a will is routed too")
    func responseTopic() throws {
        let routed = Will(topic: "same", properties: [.willDelayInterval(3), .responseTopic("commands/r")])
        let expected: Properties = [.willDelayInterval(3), .responseTopic("device/d1/commands/r")]
        #expect(try rewritten(routed, unrouted: .reject).0.will?.properties == expected)
        let outside = Will(topic: "same", properties: [.responseTopic("other"), .willDelayInterval(3)])
        #expect(try rewritten(outside, unrouted: .pass).0.will == outside)
        #expect(try rewritten(outside, unrouted: .drop).0.will?.properties == [.willDelayInterval(3)])
        let refused = try rewritten(outside, unrouted: .reject)
        #expect(
            refused.1
                == ConnectRefusal(code: 0x87, message: #"the response topic of the will, "other", matches no route"#))
    }

    @Test("without routes the CONNECT is not changed, and its topic alias maximum is noted")
    func noRoutes() {
        var router = PacketRouter(routes: .none, version: .v5_0)
        var packet = connect(.v5_0, Will(topic: "any", retain: true))
        packet.properties = [.topicAliasMaximum(7)]
        let original = packet
        #expect(router.rewriteConnect(&packet) == nil)
        #expect(packet == original)
        #expect(router.deviceAliasMaximum == 7)
    }
}
