import Foundation
import Testing

/// `status` and `health` beside a running program.
@Suite(.timeLimit(.minutes(20)))
struct StatusCommandTests {
    private static func options(_ token: String? = nil) -> Scenario.Options {
        var options = Scenario.Options()
        options.admin = true
        options.adminToken = token
        return options
    }

    /// Runs a command of the program to its end.
    private func command(
        _ scenario: Scenario, _ arguments: String...
    ) async throws -> (end: ChildProcess.ProcessEnd, output: String, errors: String) {
        let process = try await ChildProcess.start(
            arguments[0], "env", ["-u", "BRIDGE_ADMIN_LISTEN", try Toolbox.bridge()] + arguments)
        await scenario.own(process)
        let end = try await process.end()
        try await Task.sleep(for: .milliseconds(50))
        return (
            end, await process.output.all.joined(separator: "\n"), await process.errors.all.joined(separator: "\n")
        )
    }

    /// The configuration of the scenario's bridge, with the ports that it has.
    private func file(_ scenario: Scenario) async throws -> String {
        let port = try #require(scenario.bridge.adminPort)
        var options = scenario.options
        options.listen = "127.0.0.1:\(scenario.bridge.port)"
        let text = try await Scenario.configuration(options, in: scenario.folder, port: scenario.farEnd.port)
            .replacing("admin: {listen: \"127.0.0.1:0\"", with: "admin: {listen: \"127.0.0.1:\(port)\"")
        return try scenario.folder.write("status.yaml", text)
    }

    @Test func theStatusIsThatOfTheProgram() async throws {
        try await Scenario.run(Self.options("0123456789abcdef-token")) { scenario in
            let device = try await scenario.device("pump-1")
            let file = try await file(scenario)
            let shown = try await command(scenario, "status", "--config", file)
            #expect(shown.end == .exit(0), "\(shown.errors)")
            #expect(shown.output.hasPrefix("mqtt-quic-bridge run "))
            #expect(shown.output.contains("\nbroker        up for "))
            #expect(shown.output.contains("\ndevices       1 live, 0 held, 0 connecting, 0 ending\n"))
            #expect(shown.output.contains("\ncertificate   CA: "))
            let json = try await command(scenario, "status", "--json", "--config", file)
            let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: [String: Any]]
            #expect((object?["status"]?["devices"] as? [String: Any])?["live"] as? Int == 1)
            #expect(object?["history"]?["samples"] is [Any])
            let port = try #require(scenario.bridge.adminPort)
            let refused = try await command(scenario, "status", "--url", "http://127.0.0.1:\(port)")
            #expect(refused.end == .exit(1))
            #expect(refused.errors.contains("asks for a token") && refused.errors.contains("--token-file"))
            let elsewhere = try await command(scenario, "status", "--url", "http://127.0.0.1:\(scenario.broker.port)")
            #expect(elsewhere.end == .exit(1))
            try await device.disconnect()
        }
    }

    @Test func itIsKeptFresh() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let file = try await file(scenario)
            let process = try await ChildProcess.start(
                "status", "env",
                ["-u", "BRIDGE_ADMIN_LISTEN", try Toolbox.bridge(), "status", "--watch", "--config", file])
            await scenario.own(process)
            _ = try await process.output.first("no device") { $0.hasPrefix("devices       0 live") }
            let device = try await scenario.device("pump-1")
            _ = try await process.output.first("the device") { $0.hasPrefix("devices       1 live") }
            try await device.disconnect()
        }
    }

    /// So that nobody restarts a program because its broker is away.
    @Test func aProgramWithoutItsBrokerIsAlive() async throws {
        var options = Self.options()
        options.relayed = true
        options.uplink = [
            "keep_alive: 1s", "idle_timeout: 4s", "connect_timeout: 2s", "backoff_minimum: 50ms",
            "backoff_maximum: 500ms", "on_loss: hold",
        ]
        try await Scenario.run(options) { scenario in
            let file = try await file(scenario)
            _ = try await scenario.device("pump-1")
            try await scenario.duringBlackout {
                var ready = try await command(scenario, "health", "--config", file)
                while ready.end == .exit(0) { ready = try await command(scenario, "health", "--config", file) }
                #expect(ready.end == .exit(1))
                #expect(ready.errors.contains("the broker cannot be reached"), "\(ready.errors)")
                let alive = try await command(scenario, "health", "--alive", "--config", file)
                #expect(alive.end == .exit(0), "\(alive.errors)")
            }
        }
    }

    @Test func healthAsksForReadiness() async throws {
        try await Scenario.run(Self.options()) { scenario in
            let file = try await file(scenario)
            let well = try await command(scenario, "health", "--config", file)
            #expect(well.end == .exit(0), "\(well.errors)")
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
            let gone = try await command(scenario, "health", "--config", file)
            #expect(gone.end == .exit(1))
            #expect(gone.errors.contains("nothing answers at http://127.0.0.1:"), "\(gone.errors)")
            let dead = try await command(scenario, "health", "--alive", "--config", file)
            #expect(dead.end == .exit(1))
            let serve = try await command(scenario, "health", "--serve", "--config", file)
            #expect(serve.end == .exit(1))
        }
    }
}
