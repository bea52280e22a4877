import Foundation
import Testing

/// Many devices are held at once: they come back one after the other, and the first one alone.
@Suite(.timeLimit(.minutes(20)))
struct StampedeTests {
    private static let number = 500
    private static let pace = 50

    private static var options: Scenario.Options {
        var options = Scenario.Options()
        options.uplink = Uplink.brisk + Uplink.hold() + ["reconnects_per_second: \(pace)"]
        options.broker.lines = ["max_connections -1"]
        options.alone = true
        return options
    }

    @Test(.mapping(.connection)) func heldDevicesComeBackAtAPace() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await load.connect(
                Self.number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true, "at_once": 20],
                within: 120)
            try await scenario.killBroker()
            try await scenario.holds(Self.number)
            guard let front = try await scenario.startBrokerAgain().front else { throw HarnessError("no front") }
            try await scenario.reconnects(Self.number)
            #expect(await load.ended == 0)
            #expect(try await load.perform("publish", answer: "published").count == Self.number)
            let events = await front.events.all
            let first = events.prefix { $0.event != "handshake" }.count { $0.event == "connection" }
            #expect(first == 1, "\(first) connections began before the first had proven that the broker is there")
            expectPaced(events.filter { $0.event == "packet" && $0.type == "CONNECT" }.map(\.at))
        }
    }

    /// Over shared connections it is their sessions that come back one after the other.
    @Test(.mapping(.mux)) func heldSessionsComeBackAtAPace() async throws {
        try await Scenario.run(Self.options) { scenario in
            let load = try await scenario.load()
            try await load.connect(
                Self.number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true], within: 120)
            try await scenario.killBroker()
            try await scenario.holds(Self.number)
            try await scenario.startBrokerAgain()
            try await scenario.reconnects(Self.number)
            #expect(await load.ended == 0)
            #expect(try await load.perform("publish", answer: "published").count == Self.number)
        }
    }

    private func expectPaced(_ times: [Double]) {
        var seconds: [Int: Int] = [:]
        for time in times { seconds[Int(time), default: 0] += 1 }
        #expect(times.count >= Self.number)
        // Twice the pace is a second's worth, a burst and a machine that stood still for a moment.
        #expect(seconds.values.max() ?? 0 <= 3 * Self.pace, "\(seconds.sorted { $0.key < $1.key }.map(\.value))")
        #expect(seconds.count >= Self.number / Self.pace / 3)
    }
}
