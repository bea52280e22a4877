import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

/// The configurations in `examples/` must load without warnings once the files that their comments ask for exist.
struct ExamplesFolderTests {
    /// What an operator adds to a copy of the folder.
    private static let ownFiles = [
        "ca.pem": TemporaryFolder.certificate, "server.pem": TemporaryFolder.certificate,
        "server.key": TemporaryFolder.key, "press-3.password": "secret\n", "gateway-password": "secret\n",
        "users": "plc-1:$7$101$AAAA$AAAA\n",
    ]

    private static func copy(of name: String) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for path in Document.files(under: "examples/\(name)") where path.hasSuffix(".yaml") {
            try folder.write(String(path.dropFirst("examples/\(name)/".count)), Document(path).text, mode: 0o644)
        }
        for (name, text) in ownFiles { try folder.write(name, text) }
        return folder
    }

    private static func run(_ name: String) throws -> BridgeConfiguration {
        let folder = try copy(of: name)
        let loaded = try ConfigurationLoader.load(.run, file: folder.path + "/bridge.yaml", environment: [:], cores: 4)
        #expect(loaded.warnings.isEmpty)
        return loaded.configuration
    }

    @Test func sidecar() throws {
        let configuration = try Self.run("sidecar")
        #expect(configuration.listen.map(\.host) == ["127.0.0.1"])
        #expect(configuration.auth.mode == .passthrough)
        #expect(configuration.routes.isEmpty)
        #expect(configuration.uplink.fallback?.port == 8_883)
        #expect(configuration.uplink.ticketFile != nil)
    }

    @Test func gatewayWithRoutes() throws {
        let configuration = try Self.run("gateway-routes")
        #expect(configuration.listen.map(\.name) == ["hall-1", "hall-2"])
        #expect(configuration.routes.count == 3)
        #expect(configuration.unrouted == .reject)
        #expect(configuration.auth.overrides.map(\.identity.password) == [Secret("secret")])
    }

    @Test func gatewayWithDataStream() throws {
        let configuration = try Self.run("gateway-data-stream")
        #expect(configuration.uplink.mapping == .dataStream)
        #expect(configuration.uplink.identity?.clientID == "gateway-1")
        #expect(configuration.auth.mode == .local)
        // With data-stream, routes are the only ACL.
        #expect(configuration.routes.allSatisfy { $0.remote.contains("${username}") })
        #expect(configuration.unrouted == .reject)
    }

    /// The two ends and the guide must agree with each other.
    @Test func bothEnds() throws {
        let bridge = try Self.run("both-ends")
        let folder = try Self.copy(of: "both-ends")
        let loaded = try ConfigurationLoader.load(.serve, file: folder.path + "/serve.yaml", environment: [:], cores: 4)
        let serve = loaded.configuration
        #expect(loaded.warnings.isEmpty)
        #expect(bridge.uplink.mapping == .mux)
        #expect(serve.listen.map(\.port) == [bridge.uplink.port])
        let mosquitto = try Document("examples/both-ends/mosquitto.conf").text
        #expect(mosquitto.contains("\nlistener \(serve.brokerPort) \(serve.brokerHost)\n"))
        #expect(!bridge.listen.map(\.port).contains(serve.brokerPort))
        let guide = try Document("examples/both-ends/README.md").text
        #expect(guide.contains("mosquitto_pub -p \(bridge.listen[0].port) "))
        #expect(guide.contains("./make-certificates \(bridge.uplink.host) "))
    }

    @Test func everyFolderIsListedAndTested() throws {
        let folders = Set(
            Document.files(under: "examples").compactMap { path -> Substring? in
                let parts = path.split(separator: "/")
                return parts.count > 2 ? parts[1] : nil
            })
        let configurations: Set<Substring> = ["sidecar", "gateway-routes", "gateway-data-stream", "both-ends"]
        // ClientExamplesTests run these.
        let programs: Set<Substring> = ["sensor", "command-receiver"]
        #expect(folders == configurations.union(programs))
        let targets = try Document("examples/README.md").links.map(\.target)
        for folder in folders { #expect(targets.contains { $0.hasPrefix("\(folder)/") }) }
    }
}
