import MQTTCodec
import Testing

@testable import BridgeCore

@Suite struct RouteTallyTests {
    /// Two sessions of one loop count together; the routes have a variable, so that each has its own.
    private func sessions(_ unrouted: UnroutedPolicy, _ routes: [Route] = RoutingHarness.routes) throws
        -> (one: RoutingHarness, other: RoutingHarness, tally: RouteTally)
    {
        let table = try RoutingTable(routes: routes, unrouted: unrouted).counted()
        var (one, other) = (try RoutingHarness(.v5_0, unrouted), try RoutingHarness(.v5_0, unrouted))
        one.router = PacketRouter(routes: try table.resolved(with: RouteVariables(clientID: "d1")), version: .v5_0)
        other.router = PacketRouter(routes: try table.resolved(with: RouteVariables(clientID: "d2")), version: .v5_0)
        return (one, other, try #require(table.tally))
    }

    @Test func messagesAndFiltersCountForTheirRoute() throws {
        var (one, other, tally) = try sessions(.drop)
        _ = try one.device(.publish("telemetry/a"))
        _ = try other.device(.publish("telemetry/b", qos: .atLeastOnce, id: 1))
        _ = try one.broker(.publish("device/d1/commands/x"))
        _ = try one.device(.subscribe(1, ("commands/#", .atMostOnce), ("rooms/1/lamp", .atMostOnce)))
        _ = try one.device(.publish("nowhere"))
        _ = try one.broker(.publish("nowhere"))
        _ = try one.device(.subscribe(2, ("nowhere/#", .atMostOnce)))
        let totals = tally.totals
        #expect(totals[0, .up] == 2 && totals[0, .down] == 0 && totals[0, .filter] == 0)
        #expect(totals[1, .down] == 1 && totals[1, .filter] == 1 && totals[2, .filter] == 1)
        #expect(totals[.up, .dropped] == 1 && totals[.down, .dropped] == 1 && totals[.filter, .dropped] == 1)
        #expect(totals[.up, .passed] == 0 && totals[.up, .rejected] == 0)
        let sum = totals + totals + RouteTotals()
        #expect(sum[0, .up] == 4 && sum[.up, .dropped] == 2 && sum[99, .up] == 0)
    }

    @Test func whatIsRejectedOrPassesWithoutARouteCounts() throws {
        var (strict, _, rejected) = try sessions(.reject)
        _ = try strict.device(.publish("nowhere", qos: .atLeastOnce, id: 1))
        _ = try strict.device(.subscribe(2, ("nowhere/#", .atMostOnce)))
        #expect(rejected.totals[.up, .rejected] == 1 && rejected.totals[.filter, .rejected] == 1)
        var (lax, _, passed) = try sessions(.pass)
        _ = try lax.device(.publish("nowhere"))
        _ = try lax.broker(.publish("nowhere"))
        _ = try lax.device(.subscribe(2, ("nowhere/#", .atMostOnce)))
        for use in RouteTally.Use.allCases { #expect(passed.totals[use, .passed] == 1, "\(use)") }
    }

    /// Routes without variables are resolved once for all devices.
    @Test func routesWithoutVariablesCount() throws {
        var (one, other, tally) = try sessions(.drop, [Route(local: "a/#", remote: "b/#")])
        _ = try one.device(.publish("a/1"))
        _ = try other.device(.publish("a/2"))
        #expect(tally.totals[0, .up] == 2)
    }

    @Test func aTableThatIsNotCountedRoutesAlike() throws {
        let table = try RoutingTable(routes: RoutingHarness.routes, unrouted: .drop)
        let variables = RouteVariables(clientID: "d1")
        #expect(try table.resolved(with: variables) == table.counted().resolved(with: variables))
        #expect(table.tally == nil && table.localSides.first == "telemetry/#")
    }
}
