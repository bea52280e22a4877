import MQTTCodec
import Testing

@testable import BridgeCore

/// Filters of one device that become the same filter at the broker.
@Suite("Routing: several filters of a device on one remote filter")
struct RoutingStandingFilterTests {
    private static let remote = "device/d1/commands/#"
    private static let routes = [RoutingHarness.routes[1]]

    private static func harness(
        _ version: MQTTVersion = .v5_0, _ unrouted: UnroutedPolicy = .reject, routes: [Route] = routes
    ) throws -> RoutingHarness {
        try RoutingHarness(version, unrouted, routes: routes)
    }

    // MARK: UNSUBSCRIBE

    @Test("the broker's subscription ends with the last filter that stands on it", arguments: MQTTVersion.allCases)
    func theLastOneEndsIt(version: MQTTVersion) throws {
        var harness = try Self.harness(version)
        _ = try harness.device(.subscribe(1, ("#", .atLeastOnce)))
        _ = try harness.device(.subscribe(2, ("commands/#", .atLeastOnce)))
        let codes: [UInt8] = version == .v5_0 ? [0] : []
        #expect(try harness.device(.unsubscribe(3, "#")) == .reply(.unsuback(3, codes)))
        #expect(try harness.device(.unsubscribe(4, "commands/#")) == .forward(.unsubscribe(4, Self.remote)))
        #expect(try harness.broker(.unsuback(4, codes)) == .unchanged(.unsuback(4, codes)))
        #expect(harness.router.standing.count == 0)
        // Nothing stands there, so the broker has to say that there is no such subscription.
        #expect(try harness.device(.unsubscribe(5, "#")) == .forward(.unsubscribe(5, Self.remote)))
    }

    @Test("one UNSUBSCRIBE may name all that stand there")
    func allInOne() throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("#", .atLeastOnce), ("commands/#", .atLeastOnce)))
        #expect(
            try harness.device(.unsubscribe(2, "#", "commands/#")) == .forward(.unsubscribe(2, Self.remote)))
        #expect(try harness.broker(.unsuback(2, [0])) == .forward(.unsuback(2, [0, 0])))
    }

    @Test("of a filter across several routes, only what no other needs is unsubscribed")
    func partly() throws {
        var harness = try Self.harness(routes: Array(RoutingHarness.routes[1...2]))
        _ = try harness.device(.subscribe(1, ("#", .atLeastOnce), ("commands/#", .atLeastOnce)))
        #expect(try harness.device(.unsubscribe(2, "#")) == .forward(.unsubscribe(2, "site/lamps/+")))
        #expect(try harness.broker(.unsuback(2, [0])) == .unchanged(.unsuback(2, [0])))
    }

    @Test("a filter that passes unchanged counts like one that is mapped")
    func passing() throws {
        var harness = try Self.harness(.v5_0, .pass)
        _ = try harness.device(.subscribe(1, (Self.remote, .atLeastOnce)))
        _ = try harness.device(.subscribe(2, ("commands/#", .atLeastOnce)))
        #expect(try harness.device(.unsubscribe(3, "commands/#")) == .reply(.unsuback(3, [0])))
        let last = Packet.unsubscribe(4, Self.remote)
        #expect(try harness.device(last) == .unchanged(last))
    }

    @Test("other markers are other subscriptions")
    func markers() throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("$share/g/#", .atLeastOnce), ("commands/#", .atLeastOnce)))
        #expect(
            try harness.device(.unsubscribe(2, "commands/#")) == .forward(.unsubscribe(2, Self.remote)))
        #expect(
            try harness.device(.unsubscribe(3, "$share/g/#"))
                == .forward(.unsubscribe(3, "$share/g/" + Self.remote)))
    }

    // MARK: SUBSCRIBE

    @Test("the broker is asked for the highest QoS, and the device is granted its own", arguments: MQTTVersion.allCases)
    func highestQoS(version: MQTTVersion) throws {
        var harness = try Self.harness(version)
        let first = Packet.subscribe(1, (Self.remote, .atLeastOnce))
        #expect(try harness.device(.subscribe(1, ("commands/#", .atLeastOnce))) == .forward(first))
        #expect(try harness.broker(.suback(1, [1])) == .unchanged(.suback(1, [1])))
        let second = Packet.subscribe(2, (Self.remote, .atLeastOnce))
        #expect(try harness.device(.subscribe(2, ("#", .atMostOnce))) == .forward(second))
        #expect(try harness.broker(.suback(2, [1])) == .forward(.suback(2, [0])))
        let third = Packet.subscribe(3, (Self.remote, .exactlyOnce))
        #expect(try harness.device(.subscribe(3, ("#", .exactlyOnce))) == .forward(third))
        #expect(try harness.broker(.suback(3, [1])) == .unchanged(.suback(3, [1])))
        // A filter that is subscribed again asks for what it says now.
        _ = try harness.device(.unsubscribe(4, "#"))
        #expect(
            try harness.device(.subscribe(5, ("commands/#", .atMostOnce)))
                == .forward(.subscribe(5, (Self.remote, .atMostOnce))))
    }

    @Test(
        "a refusal stays one, and a lower QoS too",
        arguments: [(0, 0), (1, 0), (2, 0), (0x87, 0x87)] as [(UInt8, UInt8)])
    func codes(broker: UInt8, device: UInt8) throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("commands/#", .exactlyOnce)))
        _ = try harness.device(.subscribe(2, ("#", .atMostOnce), ("commands/x", .exactlyOnce)))
        #expect(try harness.broker(.suback(2, [broker, 2])) == .forward(.suback(2, [device, 2])))
    }

    @Test("the caps of the routes stay in force")
    func caps() throws {
        var harness = try Self.harness(routes: [Route(local: "a/#", remote: "r/#", maximumQoS: 1)])
        _ = try harness.device(.subscribe(1, ("a/#", .exactlyOnce)))
        #expect(
            try harness.device(.subscribe(2, ("#", .atMostOnce))) == .forward(.subscribe(2, ("r/#", .atLeastOnce))))
        #expect(try harness.broker(.suback(2, [1])) == .forward(.suback(2, [0])))
    }

    @Test("retained messages come for a filter that is new, although the broker has it already")
    func retainHandling() throws {
        var harness = try Self.harness()
        #expect(try Self.asked("commands/#", 1, &harness).retainHandling == 1)
        #expect(try Self.asked("#", 1, &harness).retainHandling == 0)
        #expect(try Self.asked("#", 1, &harness).retainHandling == 1)
        #expect(try Self.asked("+/#", 2, &harness).retainHandling == 2)
    }

    @Test("the device's own messages are kept from it only if all that stand there want that")
    func noLocal() throws {
        var harness = try Self.harness()
        #expect(try Self.asked("#", noLocal: true, &harness).noLocal)
        #expect(try !Self.asked("commands/#", noLocal: false, &harness).noLocal)
        #expect(try !Self.asked("#", noLocal: true, &harness).noLocal)
    }

    private static func asked(
        _ filter: String, _ retainHandling: UInt8 = 0, noLocal: Bool = false, _ harness: inout RoutingHarness
    ) throws -> Subscription {
        let subscription = Subscription(filter: filter, noLocal: noLocal, retainHandling: retainHandling)
        let outcome = try harness.device(.subscribe(Subscribe(packetID: 1, subscriptions: [subscription])))
        guard case .subscribe(let sent)? = outcome.forward else {
            throw MQTTError(.protocolError, clause: "", message: "not forwarded: \(outcome)")
        }
        return try #require(sent.subscriptions.first)
    }

    // MARK: what the broker refuses

    @Test("a filter whose UNSUBSCRIBE the broker refuses still stands there")
    func refusedUnsubscribe() throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("#", .atLeastOnce)))
        _ = try harness.broker(.suback(1, [1]))
        #expect(try harness.device(.unsubscribe(2, "#")) == .forward(.unsubscribe(2, Self.remote)))
        #expect(try harness.broker(.unsuback(2, [0x87])) == .unchanged(.unsuback(2, [0x87])))
        _ = try harness.device(.subscribe(3, ("commands/#", .atLeastOnce)))
        _ = try harness.broker(.suback(3, [1]))
        #expect(try harness.device(.unsubscribe(4, "commands/#")) == .reply(.unsuback(4, [0])))
        // This time the broker does as it is asked.
        #expect(try harness.device(.unsubscribe(5, "#")) == .forward(.unsubscribe(5, Self.remote)))
        _ = try harness.broker(.unsuback(5, [0x11]))
        #expect(harness.router.standing.count == 0 && harness.router.standing.unsettledCount == 0)
    }

    @Test("a filter that the broker refuses asks for nothing", arguments: [MQTTVersion.v3_1_1, .v5_0])
    func refusedSubscribe(version: MQTTVersion) throws {
        var harness = try Self.harness(version)
        let code: UInt8 = version == .v5_0 ? 0x87 : 0x80
        _ = try harness.device(.subscribe(1, ("commands/#", .exactlyOnce)))
        #expect(try harness.broker(.suback(1, [code])) == .unchanged(.suback(1, [code])))
        #expect(harness.router.standing.count == 0)
        let next = try harness.device(.subscribe(2, ("#", .atMostOnce)))
        #expect(next == .forward(.subscribe(2, (Self.remote, .atMostOnce))))
        // It counts until its answer comes: another SUBSCRIBE must not lower what the broker is about to grant.
        _ = try harness.device(.subscribe(3, ("commands/#", .exactlyOnce)))
        let asked = try harness.device(.subscribe(4, ("+/#", .atMostOnce)))
        #expect(asked == .forward(.subscribe(4, (Self.remote, .exactlyOnce))))
    }

    @Test("a filter that is refused when it is subscribed again asks for what it was granted before")
    func refusedAgain() throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("commands/#", .atLeastOnce)))
        _ = try harness.broker(.suback(1, [1]))
        _ = try harness.device(.subscribe(2, ("commands/#", .exactlyOnce)))
        _ = try harness.broker(.suback(2, [0x87]))
        let next = try harness.device(.subscribe(3, ("#", .atMostOnce)))
        #expect(next == .forward(.subscribe(3, (Self.remote, .atLeastOnce))))
    }

    @Test("a filter that is granted a lower QoS asks for no more than that")
    func lowerQoS() throws {
        var harness = try Self.harness()
        _ = try harness.device(.subscribe(1, ("commands/#", .exactlyOnce)))
        _ = try harness.broker(.suback(1, [1]))
        let next = try harness.device(.subscribe(2, ("#", .atMostOnce)))
        #expect(next == .forward(.subscribe(2, (Self.remote, .atLeastOnce))))
    }

    @Test("each code belongs to its filter")
    func severalCodes() throws {
        let routes = [Route(local: "a/#", remote: "r/a/#"), Route(local: "b/#", remote: "r/b/#")]
        var harness = try Self.harness(routes: routes)
        _ = try harness.device(.subscribe(1, ("a/#", .atLeastOnce), ("b/#", .exactlyOnce), ("x", .atMostOnce)))
        _ = try harness.broker(.suback(1, [1, 0x87]))
        let next = try harness.device(.subscribe(2, ("#", .atMostOnce)))
        #expect(next == .forward(.subscribe(2, ("r/a/#", .atLeastOnce), ("r/b/#", .atMostOnce))))
        _ = try harness.broker(.suback(2, [0, 0]))
        #expect(try harness.device(.unsubscribe(3, "#")) == .forward(.unsubscribe(3, "r/b/#")))
    }

    @Test("a bound on what waits for an answer")
    func unanswered() throws {
        var harness = try Self.harness()
        for packetID in 1...UInt16(StandingFilters.maximumUnsettled + 10) {
            _ = try harness.device(.subscribe(packetID, ("commands/#", packetID % 2 == 0 ? .atMostOnce : .atLeastOnce)))
        }
        #expect(harness.router.standing.unsettledCount == StandingFilters.maximumUnsettled)
        for packetID in 1...UInt16(StandingFilters.maximumUnsettled) {
            _ = try harness.broker(.suback(packetID, [packetID % 2 == 0 ? 0 : 1]))
        }
        #expect(harness.router.standing.unsettledCount == 0 && harness.router.standing.count == 1)
        _ = try harness.device(.subscribe(1, ("commands/#", .atMostOnce)))
        _ = try harness.broker(.suback(1, [0]))
        // Nothing changes, whatever the answer is.
        _ = try harness.device(.subscribe(1, ("commands/#", .atMostOnce)))
        #expect(harness.router.standing.unsettledCount == 0)
    }

    // MARK: bounds

    @Test("a request that is refused leaves everything as it was")
    func refused() throws {
        let routes = (0..<PacketRouter.maximumRemoteFilters).map { Route(local: "l\($0)/#", remote: "r\($0)/#") }
        var harness = try Self.harness(routes: routes)
        _ = try harness.device(.subscribe(1, ("l0/#", .atMostOnce)))
        #expect(try harness.device(.subscribe(2, ("#", .atMostOnce), ("#", .atMostOnce))).forward == nil)
        #expect(harness.router.standing.count == 1)
    }

    @Test("filters beyond the bound are not noted, and go to the broker as they are")
    func bound() throws {
        var harness = try Self.harness()
        for index in 0..<StandingFilters.maximumCount {
            _ = try harness.device(.subscribe(1, ("commands/\(index)", .atLeastOnce)))
        }
        #expect(harness.router.standing.count == StandingFilters.maximumCount)
        _ = try harness.device(.subscribe(2, ("#", .atLeastOnce), ("commands/#", .atLeastOnce)))
        #expect(harness.router.standing.count == StandingFilters.maximumCount)
        #expect(try harness.device(.unsubscribe(3, "#")) == .forward(.unsubscribe(3, Self.remote)))
        // What is noted is still told apart.
        _ = try harness.device(.unsubscribe(4, "commands/0"))
        _ = try harness.device(.subscribe(5, ("+/1", .atLeastOnce)))
        #expect(try harness.device(.unsubscribe(6, "commands/1")) == .reply(.unsuback(6, [0])))
    }

    @Test("nothing is noted where no topic is mapped")
    func withoutRoutes() throws {
        let table = try RoutingTable(routes: [], unrouted: .pass, platform: .tesaiot)
        let routes = try table.resolved(with: RouteVariables(clientID: "d1", username: "d1"))
        var router = PacketRouter(routes: routes, version: .v5_0)
        let frame = try Frame(packet: Packet.subscribe(1, ("#", .atMostOnce)).encode(version: .v5_0), version: .v5_0)
        _ = try router.fromDevice(frame)
        #expect(router.standing.count == 0)
    }
}
