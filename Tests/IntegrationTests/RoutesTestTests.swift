import Foundation
import Testing

/// `mqtt-quic-bridge routes test`, as an operator calls it.
@Suite(.timeLimit(.minutes(10)))
struct RoutesTestTests {
    private static let file = """
        listen: ["127.0.0.1:1883"]
        uplink: {host: broker.example.com, ca: $CA, mapping: connection}
        auth: {mode: inject, client_id: "gw-${clientid}", username: plant}
        routes:
          - {local: "telemetry/#", remote: "device/${clientid}/telemetry/#", direction: up, max_qos: 1}
          - {local: "commands/#", remote: "device/${clientid}/commands/#", direction: down}
          - {local: "telemetry/x", remote: "y", direction: up}
        """

    private static func bridge(
        _ arguments: [String], file: String = file
    ) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let folder = try Folder()
        defer { folder.remove() }
        let ca = try await Certificates.make().certificate("ca")
        let path = try folder.write("bridge.yaml", file.replacing("$CA", with: ca))
        let process = try await ChildProcess.start("bridge", Toolbox.bridge(), arguments + ["--config", path])
        let end = try await process.end()
        // Both streams may end later than the process.
        _ = try? await process.output.first("the end of output") { _ in false }
        _ = try? await process.errors.first("the end of errors") { _ in false }
        let said = await process.output.all + process.errors.all
        return (end, said.joined(separator: "\n").replacing(folder.path, with: "DIR"))
    }

    @Test(.mapping(.connection)) func showsTheDecidingRouteWithItsPlace() async throws {
        let (end, said) = try await Self.bridge(["routes", "test", "--client-id", "s1", "publish", "telemetry/t"])
        #expect(end == .exit(0), "\(said)")
        #expect(said.contains("client id \"gw-s1\", user name \"plant\" (by auth, in the mode inject)"), "\(said)")
        #expect(
            said.contains("routes[0] (DIR/bridge.yaml:5:5)") && said.contains("\"device/gw-s1/telemetry/t\", at QoS 1"))
    }

    @Test(
        .mapping(.connection),
        arguments: [
            (["publish", "commands/on"], 1, "has the other direction"), (["publish", "a/#"], 64, "wildcard"),
            (["--client-id", "a/b", "subscribe", "#"], 1, "the device would be refused"),
            (["--listener", "no", "--all"], 64, "no such listener"), (["unknown", "a"], 64, "unknown"),
            (["--client-id", "s1", "--all"], 0, "device/gw-s1/commands/#"),
        ])
    func exitCodesSayWhatBecameOfIt(arguments: [String], code: Int32, words: String) async throws {
        let clientID = arguments.contains("--client-id") ? [] : ["--client-id", "s1"]
        let (end, said) = try await Self.bridge(["routes", "test"] + clientID + arguments)
        #expect(end == .exit(code) && said.contains(words), "\(said)")
    }

    @Test(.mapping(.connection)) func aBadConfigurationIsRefused() async throws {
        let (end, said) = try await Self.bridge(["routes", "test", "publish", "a"], file: "uplnik: {}")
        #expect(end == .exit(78) && said.contains("bridge.yaml:1:1"), "\(said)")
    }

    @Test(.mapping(.connection)) func checkWarnsOfARouteThatIsNeverUsed() async throws {
        let (_, said) = try await Self.bridge(["check"])
        #expect(
            said.contains(
                "warning: DIR/bridge.yaml:7:13: routes[2]: this route is never used: routes[0] (DIR/bridge.yaml:5:13)"),
            "\(said)")
    }
}
