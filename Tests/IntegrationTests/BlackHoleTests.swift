import Foundation
import Testing

/// A path that starts to drop large datagrams at some moment, without an ICMP message, while small ones still pass.
@Suite(.timeLimit(.minutes(20)))
struct BlackHoleTests {
    /// Towards the bridge all datagrams pass if the far end is the front, because its QUIC stack does not detect black
    /// holes.
    private static var directions: [UDPRelay.Direction] { TestMapping.current == .mux ? [.up, .down] : [.up] }

    @Test func largeMessagesStillPass() async throws {
        var options = Scenario.Options.onOneLoop(uplink: ["idle_timeout: 120s"] + Uplink.hold())
        options.relayed = true
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device-1", ["version": "5.0"])
            try await device.subscribe("down")
            for _ in 0..<3 { try await exchange(scenario, observer, device, size: 100_000) }
            // Path MTU discovery has found a larger size than the minimum.
            let largest = try await scenario.relay.happenings.all.filter { $0.direction == .up }.map(\.size).max() ?? 0
            #expect(largest > 1_250)
            let start = try await scenario.relay.happenings.count
            let directions = Self.directions
            try await scenario.relay.set { rules in for direction in directions { rules.largest[direction] = 1_250 } }
            for _ in 0..<3 { try await exchange(scenario, observer, device, size: 200_000) }
            #expect(try await scenario.relay.happenings.all.dropFirst(start).contains { !$0.passed })
            #expect(await !device.wasDisconnected)
        }
    }

    private func exchange(
        _ scenario: Scenario, _ observer: PahoClient, _ device: PahoClient, size: Int
    ) async throws {
        let up = try await device.startPublishing("up", .size(size), qos: 1)
        #expect(try await observer.message().sha256 == up.sha256)
        let down = try await observer.startPublishing("down", .size(size), qos: 1)
        #expect(try await device.message().sha256 == down.sha256)
        try await device.acknowledged([up])
        try await observer.acknowledged([down])
    }
}
