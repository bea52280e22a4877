import Foundation
import Testing

/// `mqtt-quic-bridge check`, and what a bad configuration does to `run`.
@Suite(.timeLimit(.minutes(20)))
struct CheckTests {
    private static func bridge(_ arguments: String...) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let process = try await ChildProcess.start("bridge", Toolbox.bridge(), arguments)
        let end = try await process.end()
        // Both streams end after the process does.
        _ = try? await process.output.first("the end of output") { _ in false }
        _ = try? await process.errors.first("the end of errors") { _ in false }
        let said = await process.output.all + process.errors.all
        return (end, said.joined(separator: "\n"))
    }

    @Test(.mapping(.connection, .mux)) func aGoodConfigurationIsShownWithoutItsSecrets() async throws {
        var options = Scenario.Options()
        options.configuration = """
            auth: {mode: inject, username: gateway, password: "very secret"}
            routes: [{local: "a/#", remote: "b/${clientid}/#"}]
            """
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write(
            "bridge.yaml", try await Scenario.configuration(options, port: 14567))
        let (end, said) = try await Self.bridge("check", "--config", file)
        #expect(end == .exit(0), "\(said)")
        #expect(said.contains("gateway") && said.contains("14567"))
        #expect(!said.contains("very secret"))
    }

    @Test(arguments: [
        ("uplnik: {host: a}", "uplink"), ("limits: {devices: many}", "devices"),
        ("routes: [{local: \"a/#/b\", remote: b}]", "routes"),
    ])
    func aBadOneIsRefusedWithItsPlace(line: String, word: String) async throws {
        var options = Scenario.Options()
        options.configuration = line
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write(
            "bridge.yaml", try await Scenario.configuration(options, port: 14567))
        for command in ["check", "run"] {
            let (end, said) = try await Self.bridge(command, "--config", file)
            #expect(end == .exit(78))
            #expect(said.contains("bridge.yaml:") && said.contains(word), "\(said)")
        }
    }

    @Test func aMissingFileIsABadConfiguration() async throws {
        let (end, said) = try await Self.bridge("check", "--config", "/nonexistent/bridge.yaml")
        #expect(end == .exit(78) && said.contains("/nonexistent/bridge.yaml"))
    }

    @Test func connectReportsTheBroker() async throws {
        try await Scenario.run { scenario in
            let file = try scenario.folder.write(
                "check.yaml", try await Scenario.configuration(Scenario.Options(), port: scenario.farEnd.port))
            let (end, said) = try await Self.bridge("check", "--config", file, "--connect")
            #expect(end == .exit(0), "\(said)")
            for word in [
                "127.0.0.1", "TLS 1.3", "mqtt", "localhost", "Test CA", "encrypted transport", "server verified",
            ] {
                #expect(said.contains(word), "\(word) in \(said)")
            }
        }
    }

    @Test func connectSaysWhatIsWrong() async throws {
        try await Scenario.run { scenario in
            var options = Scenario.Options()
            options.ca = "other-ca"
            let file = try scenario.folder.write(
                "check.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
            let (end, said) = try await Self.bridge("check", "--config", file, "--connect")
            #expect(end != .exit(0))
            #expect(said.contains("other-ca.pem"), "\(said)")
        }
    }

    @Test(.mapping(.connection), arguments: [true, false])
    func connectTriesTheFallback(isTLS: Bool) async throws {
        var options = Scenario.Options()
        options.broker.tlsCertificate = "server"
        try await Scenario.run(options) { scenario in
            let port = isTLS ? try #require(scenario.broker.tlsPort) : scenario.broker.port
            var options = Scenario.Options()
            options.uplink = [Uplink.fallback(port)]
            let file = try scenario.folder.write(
                "check.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
            let (end, said) = try await Self.bridge("check", "--config", file, "--connect")
            #expect(end == .exit(isTLS ? 0 : 69), "\(said)")
            let words =
                isTLS
                ? ["connected to the fallback localhost port \(port)", "TLS 1.3 over TCP"]
                : ["fallback localhost port \(port)", "is it a TLS port?"]
            for word in words { #expect(said.contains(word), "\(word) in \(said)") }
        }
    }

    @Test func healthIsTheListeners() async throws {
        try await Scenario.run { scenario in
            var options = Scenario.Options()
            options.listen = "127.0.0.1:\(scenario.bridge.port)"
            let file = try scenario.folder.write(
                "health.yaml", try await Scenario.configuration(options, port: scenario.farEnd.port))
            let healthy = try await Self.bridge("health", "--config", file).end
            #expect(healthy == .exit(0))
            scenario.bridge.process.signal(SIGTERM)
            _ = try await scenario.bridge.process.end()
            let gone = try await Self.bridge("health", "--config", file).end
            #expect(gone != .exit(0))
        }
    }
}
