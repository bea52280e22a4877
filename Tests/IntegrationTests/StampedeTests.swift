import Foundation
import Testing

/// Many devices are held at once. They come back one after another, and the first one alone.
@Suite(.timeLimit(.minutes(20)))
struct StampedeTests {
    private static let number = 500
    private static let pace = 50
    /// The minimum duration of each handshake in milliseconds, so that connections which begin during it cannot have
    /// waited for its outcome.
    private static let acceptDelay = 400

    private static var options: Scenario.Options {
        var options = Scenario.Options()
        options.uplink = Uplink.brisk + Uplink.hold() + ["reconnects_per_second: \(pace)"]
        options.broker.lines = ["max_connections -1"]
        options.alone = true
        return options
    }

    @Test(.mapping(.connection)) func heldDevicesComeBackAtAPace() async throws {
        var options = Self.options
        options.front.acceptDelay = Self.acceptDelay
        // An answer to a probe would let all devices connect.
        options.front.versionNegotiation = false
        try await Scenario.run(options) { scenario in
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
            let events = try await front.reported()
            let connections = events.filter { $0.event == "connection" }.map(\.at)
            let first = try #require(connections.first)
            let early = connections.count { $0 < first + Double(Self.acceptDelay) / 1_000 * 0.9 }
            #expect(early == 1, "\(early) connections began before the first had proven that the broker is there")
            expectPaced(events.filter { $0.event == "packet" && $0.type == "CONNECT" }.map(\.at))
        }
    }

    /// Over shared connections, the sessions come back one after another.
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
        // A second may see its own share, a burst and the share of a time in which the front stood still.
        let sorted = times.sorted()
        let longest = zip(sorted.dropFirst(), sorted).map { $0 - $1 }.max() ?? 0
        let most = Self.pace * (3 + Int(longest))
        let counts = seconds.sorted { $0.key < $1.key }.map(\.value)
        #expect(seconds.values.max() ?? 0 <= most, "\(counts), with a gap of \(longest) s")
        #expect((sorted.last ?? 0) - (sorted.first ?? 0) >= Double(Self.number / Self.pace) / 3)
    }
}
