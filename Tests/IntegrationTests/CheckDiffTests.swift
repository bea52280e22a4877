import Foundation
import Testing

/// `mqtt-quic-bridge check --diff-with`.
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
}
