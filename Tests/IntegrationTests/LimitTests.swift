import Foundation
import Testing

/// Each limit at its edge: what is within the limit passes, what exceeds it is refused, and other devices do not
/// notice.
@Suite(.timeLimit(.minutes(20)))
struct LimitTests {
    private static func options(_ limits: String) -> Scenario.Options {
        var options = Scenario.Options()
        options.configuration = "limits: {\(limits)}"
        return options
    }

    @Test func devices() async throws {
        try await Scenario.run(Self.options("devices: 2")) { scenario in
            let observer = try await scenario.observer("up")
            let first = try await scenario.device("first")
            let second = try await scenario.device("second")
            let third = try await scenario.client("third").tryConnect(port: scenario.bridge.port)
            #expect(third.code != 0)
            try await second.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")
            try await first.disconnect()
            try await eventuallyConnects(scenario, "fourth")
        }
    }

    /// A program that may open no more files waits until it may, and does not use up the processor meanwhile.
    @Test func openFiles() async throws {
        var options = Self.options("devices: 50")
        options.admin = true
        try await Scenario.run(options) { scenario in
            let first = try await scenario.device("first")
            let process = scenario.bridge.process
            let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.identifier)/fd")
            let files = Set(names.compactMap { Int($0) })
            let unused = try #require((0...files.count).first { !files.contains($0) })
            try await Self.limit(process.identifier, toFilesBelow: unused)
            let waiting = try await RawDevice.connect(port: scenario.bridge.port)
            let line = try await process.errors.first("the failure") {
                $0.contains("devices cannot be accepted for now")
            }
            #expect(line.contains("raise the limit of open files"))
            let visitor = try await RawDevice.connect(port: try #require(scenario.bridge.adminPort))
            _ = try await process.errors.first("the failure of the admin endpoint") {
                $0.contains("the admin endpoint cannot accept anybody for now")
            }
            let before = try Self.processorTime(process.identifier)
            // It is the time itself that matters here.
            try await Task.sleep(for: .seconds(3))
            #expect(try Self.processorTime(process.identifier) - before < 1)
            await waiting.close()
            await visitor.close()
            try await first.publish("up", "fine", qos: 1)
            try await Self.limit(process.identifier, toFilesBelow: 1_000)
            try await eventuallyConnects(scenario, "second")
        }
    }

    private static func limit(_ process: Int32, toFilesBelow number: Int) async throws {
        let prlimit = try await ChildProcess.start(
            "prlimit", "prlimit", ["--pid", "\(process)", "--nofile=\(number):"])
        #expect(try await prlimit.end() == .exit(0))
    }

    /// In seconds.
    private static func processorTime(_ process: Int32) throws -> Double {
        let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // Behind the name come the fields from the third on.
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = try [11, 12].map { try #require(Double(fields[$0])) }
        return (ticks[0] + ticks[1]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    @Test func devicesOfOneAddress() async throws {
        try await Scenario.run(Self.options("devices_per_address: 1")) { scenario in
            let observer = try await scenario.observer("up")
            let first = try await scenario.device("first")
            let second = try await scenario.client("second").tryConnect(port: scenario.bridge.port)
            #expect(second.code != 0)
            let elsewhere = try await RawDevice.connect(port: scenario.bridge.port, from: "127.0.0.2")
            #expect(try await elsewhere.connect("elsewhere") == 0)
            try await first.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")
            await elsewhere.close()
        }
    }

    @Test func packetSize() async throws {
        let limit = 20_000
        try await Scenario.run(Self.options("packet_size: \(limit)")) { scenario in
            let observer = try await scenario.observer("up", "will")
            let neighbour = try await scenario.device("neighbour")
            // A packet has 4 bytes of fixed header (with three length bytes), 2 + 2 of topic, 2 of packet identifier
            // and, in 5.0, 1 of properties.
            for (version, overhead) in [("3.1.1", 10), ("5.0", 11)] {
                let device = await scenario.client("device-\(version)")
                let connected = try await device.connect(
                    port: scenario.bridge.port,
                    ["version": .string(version), "will": ["topic": "will", "payload": ["text": "gone"]]])
                if version == "5.0" {
                    #expect(connected.properties?["MaximumPacketSize"] == .int(limit))
                }
                try await device.publish("up", .size(limit - overhead), qos: 1)
                #expect(try await observer.message().size == limit - overhead)
            }
            let over = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await over.connect("over", level: 5, will: ("will", "gone")) == 0)
            let packet = RawMQTT.publish(
                "up", [UInt8](repeating: 1, count: limit - 10), packetID: 1, properties: [])
            #expect(packet.count == limit + 1)
            try? await over.send(packet)
            // The device gets a DISCONNECT with 0x95, packet too large.
            let answer = try await over.closed()
            #expect(answer.suffix(from: answer.lastIndex(of: 0xE0) ?? answer.endIndex).dropFirst(2).first == 0x95)
            #expect(try await observer.message().topic == "will")
            try await neighbour.publish("up", "fine", qos: 1)
            #expect(try await observer.message().text == "fine")
        }
    }

    @Test func acceptRate() async throws {
        let rate = 5
        let attempts = 30
        try await Scenario.run(Self.options("accept_rate: \(rate)")) { scenario in
            let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<attempts {
                    group.addTask {
                        do {
                            let device = try await RawDevice.connect(port: scenario.bridge.port)
                            let code = try await device.connect("device-\(index)")
                            await device.close()
                            return code == 0
                        } catch {
                            // The connection was closed before CONNACK, so the device was refused.
                            return false
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let accepted = outcomes.filter { $0 }.count
            #expect(accepted >= rate && accepted < attempts)
            try await eventuallyConnects(scenario, "later")
        }
    }
}

/// Tries to connect until a device is accepted, if that is refused only for a short time and no event of `Scenario`
/// shows when it ends.
func eventuallyConnects(_ scenario: Scenario, _ name: String) async throws {
    var refusals: [PahoEvent] = []
    for attempt in 0..<200 {
        let outcome = try await scenario.client("\(name)-\(attempt)").tryConnect(port: scenario.bridge.port)
        if outcome.event == "connected", outcome.code == 0 {
            return
        }
        refusals.append(outcome)
        try await Task.sleep(for: .milliseconds(100))
    }
    throw HarnessError("\(name) was never let in", refusals.suffix(3).map { String(describing: $0) }.joined())
}
