import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Routing: topic aliases")
struct RoutingAliasTests {
    @Test("up: the alias is forwarded first with the mapped topic, then alone")
    func up() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        #expect(
            try harness.device(.publish("telemetry/t", [.topicAlias(3)]))
                == .forward(.publish("device/d1/telemetry/t", [.topicAlias(3)])))
        let alone = Packet.publish("", qos: .exactlyOnce, id: 1, retain: true, [.topicAlias(3)])
        #expect(try harness.device(alone) == .unchanged(alone))
    }

    @Test("up: the route also changes QoS and RETAIN of a message that has only the alias")
    func upRules() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        _ = try harness.device(.publish("low/x", [.topicAlias(1)]))
        _ = try harness.device(.publish("flat/x", [.topicAlias(2)]))
        #expect(
            try harness.device(.publish("", qos: .atLeastOnce, id: 5, [.topicAlias(1)]))
                == .forward(.publish("", [.topicAlias(1)]), reply: .puback(5)))
        #expect(
            try harness.device(.publish("", retain: true, [.topicAlias(2)])) == .forward(.publish("", [.topicAlias(2)]))
        )
        #expect(
            try harness.device(.publish("", [.topicAlias(2), .responseTopic("commands/r")]))
                == .forward(.publish("", [.topicAlias(2), .responseTopic("device/d1/commands/r")])))
    }

    @Test("up: the alias of a dropped topic is dropped until it stands for another topic")
    func upDropped() throws {
        var harness = try RoutingHarness(.v5_0, .drop)
        #expect(try harness.device(.publish("other", [.topicAlias(1)])) == .nothing)
        #expect(try harness.device(.publish("", qos: .atLeastOnce, id: 1, [.topicAlias(1)])) == .reply(.puback(1)))
        #expect(
            try harness.device(.publish("telemetry", [.topicAlias(1)]))
                == .forward(.publish("device/d1/telemetry", [.topicAlias(1)])))
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .unchanged(.publish("", [.topicAlias(1)])))
        #expect(try harness.device(.publish("other", [.topicAlias(1)])) == .nothing)
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .nothing)
        #expect(harness.router.counters.droppedUp == 4)
    }

    @Test("up: the alias of a refused topic is refused")
    func upRefused() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        let first = Packet.publish("other", qos: .atLeastOnce, id: 1, [.topicAlias(1)])
        #expect(try harness.device(first) == .reply(.puback(1, .notAuthorized)))
        #expect(
            try harness.device(.publish("", qos: .exactlyOnce, id: 2, [.topicAlias(1)]))
                == .reply(.pubrec(2, .notAuthorized)))
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .close(.notAuthorized))
    }

    @Test("up: if the message that set an alias was not forwarded, the next one is sent with the topic")
    func upHeld() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        let refused = Packet.publish(
            "telemetry/t", qos: .atLeastOnce, id: 1, [.topicAlias(1), .responseTopic("other")])
        #expect(try harness.device(refused) == .reply(.puback(1, .notAuthorized)))
        #expect(harness.router.upAliases.heldBytes == "device/d1/telemetry/t".utf8.count)
        #expect(
            try harness.device(.publish("", [.topicAlias(1)]))
                == .forward(.publish("device/d1/telemetry/t", [.topicAlias(1)])))
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .unchanged(.publish("", [.topicAlias(1)])))
        #expect(harness.router.upAliases.heldBytes == 0)
        // A refused message does not make the broker forget the alias.
        #expect(
            try harness.device(.publish("", qos: .atLeastOnce, id: 1, [.topicAlias(1), .responseTopic("other")]))
                == .reply(.puback(1, .notAuthorized)))
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .unchanged(.publish("", [.topicAlias(1)])))
    }

    @Test("up: the held topics are bounded")
    func upHeldBound() throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        harness.router.brokerAliasMaximum = 65_535
        let topic = "telemetry/" + String(repeating: "x", count: 60_000)
        for alias in 1...5 as ClosedRange<UInt16> {
            _ = try harness.device(
                .publish(topic, qos: .atLeastOnce, id: 1, [.topicAlias(alias), .responseTopic("other")]))
        }
        #expect(harness.router.upAliases.heldBytes <= TopicAliases.maximumHeldBytes)
        #expect(
            try harness.device(.publish("", qos: .atLeastOnce, id: 1, [.topicAlias(5)]))
                == .reply(.puback(1, .notAuthorized)))
        #expect(try harness.device(.publish("", [.topicAlias(4)])).close == nil)
        #expect(harness.router.upAliases.heldBytes < 200_000)
    }

    @Test("up: topics that pass without a route keep their aliases")
    func upPassed() throws {
        var harness = try RoutingHarness(.v5_0, .pass)
        let first = Packet.publish("other", [.topicAlias(1)])
        #expect(try harness.device(first) == .unchanged(first))
        #expect(try harness.device(.publish("", [.topicAlias(1)])) == .unchanged(.publish("", [.topicAlias(1)])))
    }

    @Test("down: an alias is forwarded with the mapped topic, then alone, or swallowed with its topic")
    func down() throws {
        var harness = try RoutingHarness(.v5_0, .drop)
        #expect(
            try harness.broker(.publish("device/d1/commands/go", [.topicAlias(1)]))
                == .forward(.publish("commands/go", [.topicAlias(1)])))
        let alone = Packet.publish("", qos: .atLeastOnce, id: 4, [.topicAlias(1)])
        #expect(try harness.broker(alone) == .unchanged(alone))
        #expect(try harness.broker(.publish("other", [.topicAlias(2)])) == .nothing)
        #expect(try harness.broker(.publish("", qos: .exactlyOnce, id: 5, [.topicAlias(2)])) == .reply(.pubrec(5)))
        #expect(
            try harness.broker(.publish("r/flat/x", retain: true, [.topicAlias(2)]))
                == .forward(.publish("flat/x", [.topicAlias(2)])))
        #expect(
            try harness.broker(.publish("", retain: true, [.topicAlias(2)])) == .forward(.publish("", [.topicAlias(2)]))
        )
    }

    @Test("each direction has its own aliases")
    func directions() throws {
        var harness = try RoutingHarness(.v5_0, .pass)
        _ = try harness.device(.publish("telemetry", [.topicAlias(1)]))
        #expect(try harness.broker(.publish("", [.topicAlias(1)])) == .close(.protocolError))
    }

    @Test("an alias that was never set closes the session")
    func neverSet() throws {
        var harness = try RoutingHarness(.v5_0, .pass)
        #expect(try harness.device(.publish("", qos: .atLeastOnce, id: 1, [.topicAlias(1)])) == .close(.protocolError))
        #expect(try harness.broker(.publish("", [.topicAlias(1)])) == .close(.protocolError))
    }

    @Test("an alias above the receiver's maximum closes the session")
    func aboveMaximum() throws {
        var harness = try RoutingHarness(.v5_0, .pass)
        let atMaximum = Packet.publish("a", [.topicAlias(10)])
        let above = Packet.publish("a", [.topicAlias(11)])
        #expect(try harness.device(atMaximum) == .unchanged(atMaximum))
        #expect(try harness.device(above) == .close(.topicAliasInvalid))
        #expect(try harness.broker(atMaximum) == .unchanged(atMaximum))
        #expect(try harness.broker(above) == .close(.topicAliasInvalid))
        harness.router.brokerAliasMaximum = 0
        #expect(try harness.device(atMaximum) == .close(.topicAliasInvalid))
    }

    @Test("every possible alias can be used")
    func allOfThem() throws {
        var harness = try RoutingHarness(.v5_0, .pass)
        harness.router.brokerAliasMaximum = 65_535
        for alias in Array(stride(from: UInt16(1), through: 65_535, by: 13)) + [65_535] {
            _ = try harness.device(.publish("telemetry/x", [.topicAlias(alias)]))
            #expect(harness.router.upAliases[alias] == .known(routeIndex: 0))
        }
    }
}
