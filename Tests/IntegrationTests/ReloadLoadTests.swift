import Foundation
import Testing

/// Reloads while many devices send and receive.
@Suite(.timeLimit(.minutes(20)))
struct ReloadLoadTests {
    private static let devices = 20
    /// How many times SIGHUP is sent, each time when the previous reload is over, and then how many times without waiting.
    private static let (rounds, burst) = (80, 20)

    /// Nobody is concerned by any of the changes, so nobody is disconnected, and every message arrives: on connections of
    /// devices that have been there from the beginning, and on those of devices that come in between.
    @Test func aHundredReloadsUnderLoadLoseNothing() async throws {
        var options = Scenario.Options()
        options.alone = true
        options.front.reportsPackets = false
        options.broker.lines = ["max_inflight_messages 0", "max_queued_messages 0"]
        options.uplink = ["keep_alive: 20s"]
        options.configuration = "limits: {devices: 500, devices_per_address: 400}"
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(Self.devices, port: scenario.bridge.port, ["version": "5.0", "subscribe": true])
            try await load.startTraffic(every: 50)
            var coming: [PahoClient] = []
            for round in 0..<Self.rounds {
                let line = try await scenario.bridge.reload { Self.alternate($0, round) }
                #expect(line.contains("applied=2") && line.contains("devices_ended=0"), "\(line)")
                // So that the load lasts for some seconds.
                try await Task.sleep(for: .milliseconds(50))
                guard round.isMultiple(of: 10) else { continue }
                let device = try await scenario.device("new-\(round)")
                try await device.publish("new", "here", qos: 1)
                coming.append(device)
            }
            let before = await scenario.bridge.process.errors.count
            for round in 0..<Self.burst {
                try scenario.bridge.rewrite { Self.alternate($0, round) }
                scenario.bridge.process.signal(SIGHUP)
            }
            // Several signals may count as one, but the last one is not lost.
            try scenario.bridge.rewrite { $0.replacing("devices_per_address: 400", with: "devices_per_address: 401") }
            scenario.bridge.process.signal(SIGHUP)
            _ = try await scenario.bridge.says(key: "limits.devices_per_address", "is in force", from: before)
            let traffic = try await load.stopTraffic()
            print("a hundred reloads: \(traffic)")
            #expect(traffic.missing == 0 && traffic.acknowledged == traffic.sent && traffic.disordered == 0)
            #expect(traffic.duplicates == 0)
            #expect(await load.ended == 0)
            for device in coming { try await device.publish("new", "still here", qos: 1) }
            #expect(await scenario.bridgeSaid("session ended") == 0)
            #expect(await scenario.bridgeSaid("session held") == 0)
        }
    }

    /// Other settings of the connections to the broker, and another limit.
    private static func alternate(_ text: String, _ round: Int) -> String {
        round.isMultiple(of: 2)
            ? text.replacing("keep_alive: 20s", with: "keep_alive: 21s").replacing("devices: 500", with: "devices: 501")
            : text.replacing("keep_alive: 21s", with: "keep_alive: 20s").replacing("devices: 501", with: "devices: 500")
    }
}
