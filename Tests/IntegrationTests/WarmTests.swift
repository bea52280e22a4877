import Foundation
import Testing

/// Connections that were made before a device needed them, and that have become unusable since.
@Suite(.mapping(.connection), .timeLimit(.minutes(20)))
struct WarmTests {
    private static func options(_ count: Int, _ uplink: [String] = []) -> Scenario.Options {
        .onOneLoop(uplink: ["warm: \(count)"] + uplink)
    }

    /// If the server closes such a connection, that costs only a handshake.
    @Test func aWarmConnectionThatWasClosedIsNoObstacle() async throws {
        try await Scenario.run(Self.options(1)) { scenario in
            for round in 1...3 {
                try await scenario.front.says("handshake", times: round)
                try scenario.front.closeAll(code: round - 1)
                let device = try await scenario.device("device-\(round)")
                try await device.publish("up", "hello", qos: 1)
                try await device.disconnect()
            }
        }
    }

    /// The connection is dead, as behind a NAT that has forgotten the mapping. The device is still accepted, and does
    /// not have to wait for an idle timeout.
    @Test func aWarmConnectionThatIsDeadIsNoObstacle() async throws {
        try await Scenario.run(Self.options(1, ["idle_timeout: 300s"])) { scenario in
            try await scenario.front.says("handshake")
            try await scenario.killBroker()
            try await scenario.startBrokerAgain()
            try await eventuallyConnects(scenario, "device")
        }
    }

    /// If the broker cannot be reached, the bridge tries only one such connection at a time.
    @Test func aFailingUplinkGetsNoCrowdOfConnections() async throws {
        var options = Self.options(4, ["connect_timeout: 1s", "backoff_minimum: 200ms", "backoff_maximum: 1s"])
        options.relayed = true
        try await Scenario.run(options) { scenario in
            try await scenario.front.says("handshake", times: 4)
            let start = try await scenario.front.events.count
            try await scenario.relay.set { $0.blocked = [.down] }
            try scenario.front.closeAll(code: 0)
            try await scenario.relay.set { $0.blocked = [.down] }
            let since = ContinuousClock.now
            try await Task.sleep(for: .seconds(5))
            let begun = try await scenario.front.reported().dropFirst(start).count { $0.event == "connection" }
            let elapsed = ContinuousClock.now - since
            #expect(begun <= 3 + Int(elapsed.components.seconds), "\(begun) attempts in \(elapsed)")
            try await scenario.relay.set { $0.blocked = [] }
            try await eventuallyConnects(scenario, "device")
            try await scenario.front.says("handshake", times: 8)
        }
    }
}
