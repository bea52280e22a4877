import Foundation
import Testing

/// A NAT between the bridge and the broker silently forgets its mappings during steady traffic.
@Suite(.timeLimit(.minutes(20)))
struct RebindTests {
    private static let number = 20

    private func withTraffic(
        _ front: Front.Options = .init(), _ body: @Sendable (Scenario) async throws -> Void
    ) async throws {
        var options = Scenario.Options.onOneLoop(uplink: ["idle_timeout: 120s"] + Uplink.hold())
        options.front = front
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(
                Self.number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true, "keep_alive": 60])
            try await load.startTraffic()
            try await body(scenario)
            let traffic = try await load.stopTraffic()
            print("rebinding: \(traffic)")
            #expect(traffic.missing == 0 && traffic.acknowledged == traffic.sent)
            #expect(traffic.disordered == 0)
            #expect(await load.ended == 0)
        }
    }

    private func rebind(_ scenario: Scenario, times: Int) async throws {
        for _ in 0..<times {
            try await Task.sleep(for: .seconds(2))
            try await scenario.relay.rebind()
        }
        try await Task.sleep(for: .seconds(2))
    }

    private func connections(_ scenario: Scenario) async throws -> Int? {
        if let front = scenario.farEnd.front { return try await front.handshakes.count }
        return await scenario.farEnd.serve?.connections
    }

    @Test func fiveInARowAreFollowed() async throws {
        try await withTraffic { scenario in
            let connections = try await connections(scenario)
            try await rebind(scenario, times: 5)
            #expect(await scenario.bridgeSaid("session resumed on a new uplink leg") == 0)
            #expect(try await self.connections(scenario) == connections)
        }
    }

    /// The server stops following address changes, as EMQX 6.0.3 does. The bridge notices that, and makes a new
    /// connection.
    @Test(.mapping(.connection, .dataStream)) func aServerThatStopsFollowingIsLeft() async throws {
        var front = Front.Options()
        front.followedRebinds = 3
        try await withTraffic(front) { scenario in
            try await rebind(scenario, times: 5)
            try await scenario.reconnects(Self.number)
        }
    }
}
