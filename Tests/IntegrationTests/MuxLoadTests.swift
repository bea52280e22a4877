import Foundation
import Testing

/// Thousands of devices share connections.
@Suite(.mapping(.mux), .timeLimit(.minutes(20)))
struct MuxLoadTests {
    /// Each device needs a file descriptor in the client, the bridge, `serve` and the broker.
    private static let number = 2_000

    @Test(.enabled(if: OpenFiles.allow(3 * number), "the system lets a program open too few files"))
    func twoThousandDevices() async throws {
        var options = Scenario.Options()
        options.alone = true
        options.configuration = """
            threads: 2
            limits: {accept_rate: 10000, connect_within: 60s}
            """
        options.uplink = ["connect_timeout: 60s"]
        options.front.serve = ["broker_connect_timeout: 60s", "connect_within: 60s"]
        options.broker.lines = ["max_connections -1"]
        try await Scenario.run(options) { scenario in
            let number = Self.number
            let load = try await scenario.load()
            let idle = try scenario.bridge.memory("VmRSS")
            let clock = ContinuousClock()
            let start = clock.now
            try await load.connect(
                number, port: scenario.bridge.port, ["subscribe": true, "at_once": 500], within: 120)
            let connected = clock.now
            let memory = try scenario.bridge.memory("VmRSS") - idle
            // Each device sends to the next one, so a misdirected message would be noticed.
            let published = try await load.perform(
                "publish", answer: "published", ["to_next": true], within: 120)
            #expect(published.count == number)
            let messages = try await load.perform("messages", answer: "messages", ["per_client": 1], within: 120)
            #expect(messages.count == number && messages.lost == 0 && messages.wrong == 0)
            print(
                "load: \(number) devices in after \(connected - start), all heard after \(clock.now - connected),",
                "\(try await scenario.serve.connections) connections, \(memory) KiB more for the bridge")
            #expect(try await scenario.serve.connections <= 5)
            #expect(try await scenario.serve.endedConnections == 0)
            try await load.perform("disconnect", answer: "disconnected", within: 120)
            try await scenario.broker.process.errors.says("Received DISCONNECT from device-", times: number)
        }
    }

    @Test func manyDevicesEndInOrderWithTheBridge() async throws {
        let number = 200
        var options = Scenario.Options.onOneLoop()
        options.configuration = "threads: 1\nlimits: {shutdown_timeout: 30s}"
        try await Scenario.run(options) { scenario in
            let load = try await scenario.load()
            try await load.connect(number, port: scenario.bridge.port, ["version": "5.0", "subscribe": true])
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            let ends = try await load.ends(number)
            #expect(Set(ends.compactMap(\.client)).count == number)
            #expect(ends.allSatisfy { $0.code == 0x8B })
            for index in 0..<number {
                try await scenario.broker.logs("Received DISCONNECT from device-\(index)")
            }
            try await scenario.serve.hasEndedConnections(1)
            // The connection was closed, and not left to time out.
            let line = try await scenario.serve.logs("client connection ended")
            #expect(line.contains("closed by the peer") || line.contains("application"), "\(line)")
        }
    }
}

/// The limit on open files of this process, which its children inherit.
enum OpenFiles {
    /// Raises the limit if it is too low. Returns `false` if the system does not allow that.
    static func allow(_ count: Int) -> Bool {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        guard limit.rlim_cur < rlim_t(count) else { return true }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        return limit.rlim_cur >= rlim_t(count) && setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }
}
