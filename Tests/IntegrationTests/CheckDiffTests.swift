import Foundation
import Testing

/// `mqtt-quic-bridge check --diff` and `--diff-with`.
@Suite(.timeLimit(.minutes(20)))
struct CheckDiffTests {
    @Test func whatAReloadWouldDoIsShown() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let text = try await Scenario.configuration(Scenario.Options(), port: 14567)
        let old = try folder.write("old.yaml", text)
        let new = try folder.write(
            "new.yaml", text.replacing("port: 14567", with: "port: 14568") + "limits: {devices: 5}\nthreads: 7\n")
        let (end, said) = try await CheckTests.bridge(["check", "--config", new, "--diff-with", old])
        #expect(end == .exit(0), "\(said)")
        for line in [
            "A reload would apply:", "  uplink.port: new connections", "  limits.devices: it applies from now on",
            "This would need a restart:", "  threads: ",
        ] { #expect(said.contains(line), "\(said)") }
        #expect(!said.contains("uplink.ca"))
        let (same, nothing) = try await CheckTests.bridge(["check", "--config", new, "--diff-with", new])
        #expect(same == .exit(0) && nothing.contains("A reload would change nothing."))
        let bad = try folder.write("bad.yaml", "lisetn: []\n")
        for file in [bad, "\(folder.path)/missing.yaml"] {
            let (end, said) = try await CheckTests.bridge(["check", "--config", new, "--diff-with", file])
            #expect(end == .exit(78) && said.contains(file), "\(said)")
        }
    }

    @Test func theRunningProgramIsAskedWhatAReloadWouldDo() async throws {
        var options = Scenario.Options()
        options.admin = true
        options.configuration = "limits: {devices: 10, devices_per_address: 5}"
        try await Scenario.run(options) { scenario in
            let port = try #require(scenario.bridge.adminPort)
            let (end, nothing) = try await Self.diff(scenario.bridge.file, port)
            #expect(end == .exit(0) && nothing.contains("A reload would change nothing."), "\(nothing)")
            let device = try await scenario.device("device")
            try scenario.bridge.rewrite {
                $0.replacing("devices: 10", with: "devices: 1")
                    + "threads: 7\nroutes: [{local: \"up\", remote: \"elsewhere\"}]\n"
            }
            let (again, said) = try await Self.diff(scenario.bridge.file, port)
            #expect(again == .exit(0))
            for line in [
                "  routes: ", "  limits.devices: ", "  threads: ", "Devices that would be disconnected: 1",
            ] { #expect(said.contains(line), "\(said)") }
            try await device.publish("up", "still here", qos: 1)
            _ = try await scenario.device("second")
        }
    }

    @Test func theRunningProgramIsAskedToReload() async throws {
        var options = Scenario.Options()
        options.admin = true
        try await Scenario.run(options) { scenario in
            let port = try #require(scenario.bridge.adminPort)
            func reload(_ more: String...) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
                try await Self.ask(port, ["reload", "--config", scenario.bridge.file] + more)
            }
            let device = try await scenario.device("device")
            try scenario.bridge.rewrite { $0 + "limits: {devices: 1}\nthreads: 7\n" }
            let (refused, why) = try await reload("--all-or-nothing")
            #expect(refused == .exit(1) && why.contains("changed nothing, because this needs a restart:\n  threads: "))
            _ = try await scenario.device("second")
            let (end, said) = try await reload()
            #expect(end == .exit(0), "\(said)")
            for line in ["Applied:", "  limits.devices: ", "This needs a restart:", "  threads: "] {
                #expect(said.contains(line), "\(said)")
            }
            try await device.publish("up", "still here", qos: 1)
            try scenario.bridge.rewrite { $0 + "lisetn: []\n" }
            let (bad, error) = try await reload()
            #expect(bad == .exit(78) && error.contains("lisetn"), "\(error)")
        }
    }

    @Test func nobodyThereIsSaid() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try folder.write("bridge.yaml", try await Scenario.configuration(Scenario.Options(), port: 14567))
        let port = try Toolbox.freePort()
        let (end, said) = try await Self.diff(file, port)
        #expect(end == .exit(1) && said.contains("nothing answers at http://127.0.0.1:\(port)"), "\(said)")
        let (off, why) = try await CheckTests.bridge(["check", "--config", file, "--diff"])
        #expect(off == .exit(1) && why.contains("admin.listen is off"), "\(why)")
    }

    private static func diff(
        _ file: String, _ port: Int
    ) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        try await ask(port, ["check", "--config", file, "--diff"])
    }

    /// Runs a command with that port of the admin endpoint.
    private static func ask(
        _ port: Int, _ command: [String]
    ) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let process = try await ChildProcess.start(
            "ask", "env", ["BRIDGE_ADMIN_LISTEN=127.0.0.1:\(port)", try Toolbox.bridge()] + command)
        let end = try await process.end()
        _ = try? await process.output.first("the end of output") { _ in false }
        _ = try? await process.errors.first("the end of errors") { _ in false }
        return (end, (await process.output.all + process.errors.all).joined(separator: "\n"))
    }
}
