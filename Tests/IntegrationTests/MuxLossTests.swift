import Foundation
import Testing

/// A shared connection is lost. If its devices are not held, all of them are disconnected, and come back at a pace that
/// the broker can bear.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct MuxLossTests {
    private static let brisk = [
        "idle_timeout: 3s", "keep_alive: 1s", "backoff_minimum: 50ms", "backoff_maximum: 500ms", "on_loss: close",
    ]

    /// The bridge's log has a line for each of the devices, and one line that says what happened.
    private func expectAllEnded(_ load: LoadClient, _ scenario: Scenario, _ count: Int) async throws -> [LoadEvent] {
        let ends = try await load.ends(count)
        #expect(Set(ends.compactMap(\.client)).count == count)
        for index in 0..<count {
            _ = try await scenario.bridge.process.errors.first("the end of device-\(index)") {
                $0.contains("session ended") && $0.contains("client_id=device-\(index) ")
            }
        }
        return ends
    }

    @Test func aCrowdComesBackAtAPace() async throws {
        let number = 200
        let pace = 20
        var options = Scenario.Options.onOneLoop(
            uplink: Self.brisk + ["connect_timeout: 30s", "reconnects_per_second: \(pace)"])
        options.alone = true
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["subscribe": true, "reconnect": true])
            scenario.farEnd.process.signal(SIGKILL)
            _ = try await expectAllEnded(load, scenario, number)
            #expect(await scenario.bridgeSaid("a shared connection to the broker was lost") == 1)
            let said = await scenario.broker.process.errors.count
            let next = try await scenario.startAgain()
            let back = try await load.perform("reconnected", answer: "reconnected")
            #expect(back.count == number)
            try await #require(next.serve).expectConnections(1)
            let seconds = await Self.arrivals(scenario.broker.process.errors.all.dropFirst(said))
            print("reconnects: \(seconds.sorted { $0.key < $1.key }.map(\.value)) a second")
            #expect(seconds.values.reduce(0, +) == number)
            // A second may see its own share, a burst and the share of a time in which Mosquitto stood still.
            let sorted = seconds.keys.sorted()
            let longest = zip(sorted.dropFirst(), sorted).map { $0 - $1 }.max() ?? 1
            #expect(seconds.values.max() ?? 0 <= pace * (2 + longest), "\(seconds)")
            #expect((sorted.last ?? 0) - (sorted.first ?? 0) >= number / pace / 3 - 1, "\(seconds)")
            #expect(try await load.perform("publish", answer: "published").count == number)
        }
    }

    /// The number of CONNECTs by the second in which Mosquitto logged them.
    private static func arrivals(_ lines: ArraySlice<String>) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        for line in lines where line.contains("New client connected") && line.contains(" as device-") {
            if let second = Int(line.prefix { $0 != ":" }) { counts[second, default: 0] += 1 }
        }
        return counts
    }

    @Test func aServerThatStopsSaysSo() async throws {
        let number = 20
        try await Scenario.run(.onOneLoop(uplink: Self.brisk)) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true])
            let old = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await old.connect("old") == 0)
            scenario.farEnd.process.signal(SIGTERM)
            #expect(try await scenario.farEnd.process.end() == .exit(0))
            #expect(try await expectAllEnded(load, scenario, number).allSatisfy { $0.code == 0x8B })
            // MQTT 3.1.1 cannot express the reason.
            #expect(try await old.closed().isEmpty)
            _ = try await scenario.startAgain()
            try await eventuallyConnects(scenario, "device")
        }
    }

    /// Nothing arrives any more, as behind a NAT that has forgotten the mapping. QUIC's idle timeout ends the
    /// connection, however long the keepalive of a device is.
    @Test func aServerThatFallsSilentEndsAll() async throws {
        let number = 50
        try await Scenario.run(.onOneLoop(uplink: Self.brisk)) { scenario in
            let load = try await scenario.load()
            try await load.connect(
                number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true, "keep_alive": 3600])
            try await scenario.farEnd.mute(true)
            _ = try await expectAllEnded(load, scenario, number)
            #expect(await scenario.bridgeSaid("a shared connection to the broker was lost") == 1)
            try await scenario.farEnd.mute(false)
            try await eventuallyConnects(scenario, "device")
        }
    }

    /// The bridge's NAT changes ports, and the devices do not notice.
    @Test func aNATThatRebindsIsFollowed() async throws {
        let options = Scenario.Options.onOneLoop(uplink: ["keep_alive: 1s"])
        try await Scenario.run(options) { scenario in
            let relay = try await UDPRelay.start(to: scenario.farEnd.port)
            let configuration = try await Scenario.configuration(options, port: relay.port)
            let bridge = try await Bridge.start(in: scenario.folder, configuration: configuration)
            await scenario.own(bridge.process)
            let load = try await scenario.load()
            try await load.connect(20, port: bridge.port, ["subscribe": true])
            for _ in 0..<8 {
                try await relay.rebind()
                #expect(try await load.perform("publish", answer: "published").count == 20)
                _ = try await load.roundTrips(samples: 20)
            }
            #expect(await !load.events.all.contains { $0.event == "ended" })
            try await scenario.serve.expectConnections(1)
            await relay.stop()
        }
    }

    /// The server was restarted and cannot prove that it has forgotten the connection. A device that comes then does
    /// not have to wait for the idle timeout of the dead connection.
    @Test func aDeviceThatComesAfterASilentLossIsAccepted() async throws {
        let options = Scenario.Options.onOneLoop(uplink: ["idle_timeout: 300s", "connect_timeout: 20s"])
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("before", ["keep_alive": 0])
            await scenario.farEnd.process.stop()
            let next = try await scenario.startAgain()
            _ = try await scenario.device("device")
            let load = try await scenario.load()
            try await load.connect(20, port: scenario.bridge.port, ["subscribe": true])
            // Their connection seems lost as well while the machine stands still, and then there is another one.
            let connections = try await #require(next.serve).connections
            #expect((1...2).contains(connections), "\(connections)")
        }
    }

    /// The server is restarted again and again, with held devices on several connections. Each new device is accepted
    /// at the first attempt, and the others continue.
    @Test(arguments: [[], ["path_timeout: 60s"]])
    func noDeviceIsSentToADeadConnection(uplink: [String]) async throws {
        let options = Scenario.Options.onOneLoop(
            uplink: uplink + ["idle_timeout: 300s", "connect_timeout: 20s", "devices_per_connection: 3"])
        try await Scenario.run(options) { scenario in
            let held = try await scenario.load()
            try await held.connect(6, port: scenario.bridge.port, ["keep_alive": 0])
            var farEnd = scenario.farEnd
            for round in 1...4 {
                farEnd.process.signal(SIGKILL)
                _ = try await farEnd.process.end()
                farEnd = try await scenario.startAgain()
                for index in 1...2 {
                    let device = await scenario.client("device-\(round)-\(index)")
                    let outcome = try await device.tryConnect(port: scenario.bridge.port, ["keep_alive": 0])
                    #expect(outcome.event == "connected" && outcome.code == 0, "\(outcome.reason ?? outcome.event)")
                }
            }
            #expect(await !held.events.all.contains { $0.event == "ended" })
        }
    }

    /// The server has forgotten its connections but not its key, so its stateless resets end them long before the idle
    /// timeout.
    @Test func aRestartedServerSaysThatItForgot() async throws {
        let number = 20
        var options = Scenario.Options.onOneLoop(uplink: ["idle_timeout: 300s", "keep_alive: 1s", "on_loss: close"])
        let folder = try Folder()
        defer { folder.remove() }
        options.front.serve = ["ticket_key_file: \(folder.path)/ticket.key"]
        let front = options.front
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["version": "5.0", "reconnect": true])
            await scenario.farEnd.process.stop()
            _ = try await scenario.startAgain(nil, front)
            _ = try await expectAllEnded(load, scenario, number)
            let back = try await load.perform("reconnected", answer: "reconnected")
            #expect(back.count == number)
        }
    }
}
