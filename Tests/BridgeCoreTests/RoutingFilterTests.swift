import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Routing: SUBSCRIBE and UNSUBSCRIBE")
struct RoutingFilterTests {
    static let both: [MQTTVersion] = [.v3_1_1, .v5_0]
    static let all = MQTTVersion.allCases

    // MARK: SUBSCRIBE

    @Test("if each filter becomes one filter, the SUBACK passes unchanged", arguments: all)
    func oneForOne(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.subscribe(3, ("commands/+", .exactlyOnce), ("same/#", .atLeastOnce)))
                == .forward(.subscribe(3, ("device/d1/commands/+", .exactlyOnce), ("same/#", .atLeastOnce))))
        #expect(try harness.broker(.suback(3, [2, 1])) == .unchanged(.suback(3, [2, 1])))
        let same = Packet.subscribe(4, ("same/#", .atLeastOnce))
        #expect(try harness.device(same) == .unchanged(same))
    }

    @Test("a filter across several routes becomes several filters, and gets one code", arguments: both)
    func several(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.subscribe(3, ("same/a", .exactlyOnce), ("#", .exactlyOnce), ("commands", .atMostOnce)))
                == .forward(
                    .subscribe(
                        3, ("same/a", .exactlyOnce), ("device/d1/commands/#", .exactlyOnce),
                        ("site/lamps/+", .exactlyOnce), ("same/#", .exactlyOnce), ("r/low/#", .atMostOnce),
                        ("r/mid/#", .atLeastOnce), ("r/flat/#", .exactlyOnce), ("device/d1/commands", .atMostOnce))))
        #expect(try harness.broker(.suback(3, [2, 2, 2, 2, 0, 1, 2, 0])) == .forward(.suback(3, [2, 0, 0])))
        #expect(harness.router.pendingSubscribes.isEmpty)
        #expect(harness.router.pendingSubscribes.entryCount == 0)
    }

    @Test(
        "codes are merged into the first failure, else the lowest QoS",
        arguments: [
            ([2, 2, 2, 2, 2, 2], 2), ([2, 1, 2, 2, 2, 2], 1), ([2, 0, 1, 2, 2, 2], 0),
            ([0, 1, 0x87, 2, 0x97, 2], 0x87), ([0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 0x80),
        ] as [([UInt8], UInt8)])
    func merged(codes: [UInt8], expected: UInt8) throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        _ = try harness.device(.subscribe(3, ("#", .exactlyOnce)))
        let properties: Properties = [.reasonString("r"), .userProperty(name: "a", value: "b")]
        #expect(try harness.broker(.suback(3, codes, properties)) == .forward(.suback(3, [expected], properties)))
    }

    @Test("each remote filter has the subscription options, and the properties stay")
    func options() throws {
        var harness = try RoutingHarness(.v5_0, .reject, routes: Array(RoutingHarness.routes[1...2]))
        let asked = Subscription(
            filter: "#", qos: .atLeastOnce, noLocal: true, retainAsPublished: true, retainHandling: 2)
        var first = asked
        first.filter = "device/d1/commands/#"
        var second = asked
        second.filter = "site/lamps/+"
        let properties: Properties = [.subscriptionIdentifier(9), .userProperty(name: "a", value: "b")]
        #expect(
            try harness.device(.subscribe(Subscribe(packetID: 3, properties: properties, subscriptions: [asked])))
                == .forward(
                    .subscribe(Subscribe(packetID: 3, properties: properties, subscriptions: [first, second]))))
    }

    @Test("the requested QoS is capped, and the granted QoS passes unchanged", arguments: both)
    func capped(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.subscribe(3, ("low/x", .exactlyOnce), ("mid/x", .exactlyOnce)))
                == .forward(.subscribe(3, ("r/low/x", .atMostOnce), ("r/mid/x", .atLeastOnce))))
        #expect(try harness.broker(.suback(3, [0, 1])) == .unchanged(.suback(3, [0, 1])))
    }

    @Test("markers stay in front of the filter", arguments: both, ["$share/g/", "$queue/", "$exclusive/"])
    func markers(version: MQTTVersion, marker: String) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.subscribe(3, (marker + "commands/#", .atLeastOnce)))
                == .forward(.subscribe(3, (marker + "device/d1/commands/#", .atLeastOnce))))
    }

    @Test("pass: a filter outside the routes passes, and one that meets a route stays inside it", arguments: both)
    func pass(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .pass, routes: [Route(local: "a/#", remote: "b/#")])
        let outside = Packet.subscribe(3, ("other/#", .exactlyOnce), ("$SYS/#", .atMostOnce))
        #expect(try harness.device(outside) == .unchanged(outside))
        #expect(
            try harness.device(.subscribe(4, ("#", .exactlyOnce), ("other", .atMostOnce)))
                == .forward(.subscribe(4, ("b/#", .exactlyOnce), ("other", .atMostOnce))))
    }

    @Test("drop: the bridge grants the requested QoS", arguments: all)
    func drop(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .drop)
        #expect(
            try harness.device(.subscribe(3, ("other", .exactlyOnce), ("telemetry/#", .atLeastOnce)))
                == .reply(.suback(3, [2, 1])))
        #expect(
            try harness.device(.subscribe(4, ("other", .exactlyOnce), ("commands/#", .exactlyOnce)))
                == .forward(.subscribe(4, ("device/d1/commands/#", .exactlyOnce))))
        #expect(try harness.broker(.suback(4, [1])) == .forward(.suback(4, [2, 1])))
        #expect(harness.router.counters.droppedFilters == 3)
    }

    @Test("reject: 0x80 in 3.1.1, 0x87 in 5.0", arguments: [(MQTTVersion.v3_1_1, UInt8(0x80)), (.v5_0, 0x87)])
    func reject(version: MQTTVersion, code: UInt8) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(try harness.device(.subscribe(3, ("other", .exactlyOnce))) == .reply(.suback(3, [code])))
        #expect(
            try harness.device(.subscribe(4, ("commands/#", .exactlyOnce), ("$SYS/#", .exactlyOnce)))
                == .forward(.subscribe(4, ("device/d1/commands/#", .exactlyOnce))))
        #expect(try harness.broker(.suback(4, [1])) == .forward(.suback(4, [1, code])))
        #expect(harness.router.counters.rejectedFilters == 2)
    }

    @Test("reject: 3.1 has no code for a refusal, so the session is closed")
    func reject31() throws {
        var harness = try RoutingHarness(.v3_1, .reject)
        #expect(
            try harness.device(.subscribe(3, ("commands/#", .exactlyOnce), ("other", .exactlyOnce)))
                == .close(.notAuthorized))
    }

    @Test("a filter that grows too long is refused", arguments: UnroutedPolicy.allCases)
    func tooLong(unrouted: UnroutedPolicy) throws {
        let filter = "commands/" + String(repeating: "x", count: 65_526)
        var new = try RoutingHarness(.v5_0, unrouted)
        #expect(try new.device(.subscribe(3, (filter, .exactlyOnce))) == .reply(.suback(3, [0x8F])))
        #expect(try new.device(.unsubscribe(3, filter)) == .reply(.unsuback(3, [0x8F])))
        var old = try RoutingHarness(.v3_1_1, unrouted)
        #expect(try old.device(.subscribe(3, (filter, .exactlyOnce))) == .reply(.suback(3, [0x80])))
    }

    // MARK: bounds

    private static func wide(_ count: Int) -> [Route] {
        (0..<count).map { Route(local: "l\($0)/#", remote: "r\($0)/#") }
    }

    @Test("the remote filters of one packet are bounded")
    func remoteFilterBound() throws {
        let half = PacketRouter.maximumRemoteFilters / 2
        let fits = Subscribe(packetID: 3, subscriptions: [Subscription](repeating: Subscription(filter: "#"), count: 2))
        var tooMany = fits
        tooMany.subscriptions.append(Subscription(filter: "l0/x"))
        for (version, code) in [(MQTTVersion.v5_0, UInt8(0x97)), (.v3_1_1, 0x80)] {
            var harness = try RoutingHarness(version, .reject, routes: Self.wide(half))
            let outcome = try harness.device(.subscribe(fits))
            guard case .subscribe(let sent)? = outcome.forward else {
                Issue.record("not forwarded: \(outcome)")
                return
            }
            #expect(sent.subscriptions.count == PacketRouter.maximumRemoteFilters)
            tooMany.packetID = 4
            #expect(try harness.device(.subscribe(tooMany)) == .reply(.suback(4, [code, code, code])))
            let codes = [UInt8](repeating: 0, count: PacketRouter.maximumRemoteFilters)
            #expect(try harness.broker(.suback(3, codes)) == .forward(.suback(3, [0, 0])))
        }
        var old = try RoutingHarness(.v3_1, .reject, routes: Self.wide(half))
        #expect(try old.device(.subscribe(tooMany)) == .close(.quotaExceeded))
    }

    /// Also those that the broker never hears of, because other filters of the device stand there.
    @Test("the filters of one packet are bounded")
    func filterBound() throws {
        for version in [MQTTVersion.v5_0, .v3_1_1] {
            var harness = try RoutingHarness(version, .reject, routes: Self.wide(2))
            _ = try harness.device(.subscribe(3, ("l0/#", .atMostOnce), ("l1/#", .atMostOnce)))
            let filters = [String](repeating: "#", count: PacketRouter.maximumRemoteFilters + 1)
            let outcome = try harness.device(.unsubscribe(Unsubscribe(packetID: 4, filters: filters)))
            if version == .v5_0 {
                #expect(outcome == .reply(.unsuback(4, [UInt8](repeating: 0x83, count: filters.count))))
            } else {
                #expect(outcome == .close(.quotaExceeded))
            }
        }
    }

    @Test("the remote filters of one UNSUBSCRIBE are bounded too")
    func remoteFilterBoundUnsubscribe() throws {
        let routes = Self.wide(PacketRouter.maximumRemoteFilters)
        var new = try RoutingHarness(.v5_0, .reject, routes: routes)
        #expect(try new.device(.unsubscribe(3, "#")).close == nil)
        #expect(try new.device(.unsubscribe(4, "#", "l0/x")) == .reply(.unsuback(4, [0x83, 0x83])))
        var old = try RoutingHarness(.v3_1_1, .reject, routes: routes)
        #expect(try old.device(.unsubscribe(4, "#", "l0/x")) == .close(.quotaExceeded))
    }

    @Test("the number of filters that wait for a SUBACK is bounded")
    func pendingBound() throws {
        var harness = try RoutingHarness(
            .v5_0, .drop, routes: [Route(local: "a/#", remote: "a/#"), Route(local: "b/#", remote: "b/#")])
        // One filter meets both routes, and 1,023 filters are dropped.
        let subscriptions =
            [Subscription(filter: "#")] + [Subscription](repeating: Subscription(filter: "c"), count: 1_023)
        let packets = PendingFilters.maximumEntries / 1_024
        for id in 1...UInt16(packets) {
            #expect(try harness.device(.subscribe(Subscribe(packetID: id, subscriptions: subscriptions))).reply == [])
        }
        #expect(harness.router.pendingSubscribes.entryCount == PendingFilters.maximumEntries)
        #expect(try harness.device(.subscribe(1_000, ("#", .atMostOnce))) == .reply(.suback(1_000, [0x97])))
        #expect(try harness.broker(.suback(1, [0, 0])).close == nil)
        #expect(try harness.device(.subscribe(1_000, ("#", .atMostOnce))).reply == [])
    }

    @Test("the packet identifier of an unanswered packet is accepted again only for the same packet")
    func identifierInUse() throws {
        var harness = try RoutingHarness(.v3_1, .drop)
        let routes = Packet.subscribe(3, ("rooms/+/lamp", .exactlyOnce), ("other", .exactlyOnce))
        let expected = RoutingHarness.Outcome.forward(.subscribe(3, ("site/lamps/+", .exactlyOnce)))
        #expect(try harness.device(routes) == expected)
        #expect(try harness.device(routes) == expected)
        #expect(throws: MQTTError.self) { try harness.device(.subscribe(3, ("commands/#", .exactlyOnce))) }
        #expect(throws: MQTTError.self) { try harness.device(.subscribe(3, ("#", .exactlyOnce))) }
        #expect(try harness.broker(.suback(3, [1])) == .forward(.suback(3, [1, 2])))
        #expect(try harness.broker(.suback(3, [2])) == .forward(.suback(3, [2, 2])))
        #expect(harness.router.pendingSubscribes.isEmpty)
        #expect(harness.router.pendingSubscribes.entryCount == 0)
    }

    @Test("a SUBACK or UNSUBACK with the wrong number of codes is the broker's fault", arguments: [0, 1, 5, 7])
    func wrongLength(count: Int) throws {
        var harness = try RoutingHarness(.v5_0, .reject)
        _ = try harness.device(.subscribe(3, ("#", .exactlyOnce)))
        _ = try harness.device(.unsubscribe(3, "#"))
        let codes = [UInt8](repeating: 0, count: count)
        #expect(throws: MQTTError.self) { try harness.broker(.suback(3, codes)) }
        #expect(throws: MQTTError.self) { try harness.broker(.unsuback(3, codes)) }
    }

    // MARK: UNSUBSCRIBE

    @Test("UNSUBSCRIBE reaches the same filters as SUBSCRIBE", arguments: all)
    func unsubscribe(version: MQTTVersion) throws {
        var harness = try RoutingHarness(version, .reject)
        #expect(
            try harness.device(.unsubscribe(3, "commands/+", "$share/g/same/#"))
                == .forward(.unsubscribe(3, "device/d1/commands/+", "$share/g/same/#")))
        let codes: [UInt8] = version == .v5_0 ? [0, 0x11] : []
        #expect(try harness.broker(.unsuback(3, codes)) == .unchanged(.unsuback(3, codes)))
        let same = Packet.unsubscribe(4, "same/#")
        #expect(try harness.device(same) == .unchanged(same))
    }

    @Test(
        "an UNSUBACK of 5.0 gets one code per filter",
        arguments: [
            ([0, 0, 0, 0, 0, 0], 0), ([0x11, 0x11, 0, 0x11, 0x11, 0x11], 0),
            ([0x11, 0x87, 0x11, 0x11, 0x11, 0x11], 0x11), ([0x87, 0x11, 0x11, 0x11, 0x11, 0x11], 0x87),
        ] as [([UInt8], UInt8)])
    func unsubscribeMerged(codes: [UInt8], expected: UInt8) throws {
        var harness = try RoutingHarness(.v5_0, .drop)
        #expect(
            try harness.device(.unsubscribe(3, "#", "other", "same/x"))
                == .forward(
                    .unsubscribe(
                        3, "device/d1/commands/#", "site/lamps/+", "same/#", "r/low/#", "r/mid/#", "r/flat/#", "same/x")
                ))
        #expect(
            try harness.broker(.unsuback(3, codes + [0x11], [.reasonString("r")]))
                == .forward(.unsuback(3, [expected, 0, 0x11], [.reasonString("r")])))
        #expect(harness.router.pendingUnsubscribes.isEmpty)
    }

    @Test("an UNSUBSCRIBE without any routed filter is answered by the bridge")
    func unsubscribeLocal() throws {
        var drop = try RoutingHarness(.v5_0, .drop)
        #expect(try drop.device(.unsubscribe(3, "other", "x")) == .reply(.unsuback(3, [0, 0])))
        var reject = try RoutingHarness(.v5_0, .reject)
        #expect(try reject.device(.unsubscribe(3, "other")) == .reply(.unsuback(3, [0x87])))
        var old = try RoutingHarness(.v3_1_1, .reject)
        #expect(try old.device(.unsubscribe(3, "other")) == .reply(.unsuback(3)))
        #expect(
            try old.device(.unsubscribe(4, "other", "commands/x"))
                == .forward(.unsubscribe(4, "device/d1/commands/x")))
        #expect(try old.broker(.unsuback(4)) == .unchanged(.unsuback(4)))
    }
}
