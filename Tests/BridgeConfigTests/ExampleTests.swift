import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

/// `bridge.yaml.example` and `deploy/.env.example` are what operators begin with.
struct ExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ name: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
    }

    /// A folder as it is after the steps in the example's first lines.
    private static func folder(_ text: String) throws -> (TemporaryFolder, file: String) {
        let folder = try TemporaryFolder()
        try folder.write("credential_certificates/ca-chain.pem", TemporaryFolder.certificate)
        return (folder, try folder.write("bridge.yaml", text, mode: 0o644))
    }

    @Test func loadsAsItIs() throws {
        let (folder, file) = try Self.folder(Self.text("bridge.yaml.example"))
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:], cores: 4)
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.configuration.routes.count == 7)
        // Everything else in the file is the default.
        let uplink = UplinkConfiguration(
            host: "mqtt.tesaiot.com", port: 14_567, caFile: folder.path + "/credential_certificates/ca-chain.pem")
        #expect(
            loaded.configuration
                == BridgeConfiguration(
                    uplink: uplink, routes: loaded.configuration.routes,
                    admin: AdminConfiguration(listen: AdminConfiguration.defaultAddress), threads: 4))
    }

    @Test func namesEveryKey() throws {
        let text = try Self.text("bridge.yaml.example")
        for key in Key.allCases {
            let lines = key.section.map { Self.body(of: $0, in: text) } ?? Self.lines(text)
            #expect(lines.contains { $0.hasPrefix(key.name + ":") }, "\(key.rawValue) is missing")
        }
    }

    /// The lines of a section up to the next top-level section, without indentation and `#`.
    private static func body(of section: String, in text: String) -> ArraySlice<Substring> {
        let tops = Section.all.filter { Section.parent(of: $0) == nil }.map { $0 + ":" }
        let rest = lines(text).drop { $0 != "\(Section.name(of: section)):" }.dropFirst()
        return rest.prefix { !tops.contains(String($0)) }
    }

    private static func lines(_ text: String) -> ArraySlice<Substring> {
        text.split(separator: "\n").map { line in line.drop { $0 == " " || $0 == "#" } }[...]
    }

    /// Removes the `#` of `serve:` and of the keys under it, as an operator would.
    private static func withServe(_ text: String) throws -> String {
        let start = try #require(text.firstRange(of: "# serve:\n")).lowerBound
        let lines = text[start...].split(separator: "\n", omittingEmptySubsequences: false).map { line -> Substring in
            let body = line.drop { $0 == " " || $0 == "#" }
            let isKey = Key.allCases.contains { $0.section == "serve" && body.hasPrefix($0.name + ": ") }
            return isKey ? "  " + body : body == "serve:" ? body : line
        }
        return text[..<start] + lines.joined(separator: "\n")
    }

    /// Loads the section `serve` without its comment signs; every key that is not required has its default.
    @Test func loadsWithServe() throws {
        let text = try Self.withServe(Self.text("bridge.yaml.example"))
        let (folder, file) = try Self.folder(
            text.replacing("/var/lib/mqtt-quic-bridge", with: "credential_certificates"))
        try folder.write("credential_certificates/server.pem", TemporaryFolder.certificate)
        try folder.write("credential_certificates/server.key", TemporaryFolder.key)
        try folder.write("credential_certificates/client-ca.pem", TemporaryFolder.certificate)
        let loaded = try ConfigurationLoader.load(.serve, file: file, environment: [:], cores: 4)
        let certificates = folder.path + "/credential_certificates"
        #expect(
            loaded.configuration
                == ServeConfiguration(
                    certificateFile: certificates + "/server.pem", keyFile: certificates + "/server.key",
                    clientCAFile: certificates + "/client-ca.pem", brokerHost: "127.0.0.1",
                    ticketKeyFile: certificates + "/ticket.key", serverID: [1], threads: 4))
        #expect(loaded.warnings.isEmpty)
        #expect(Key.allCases.allSatisfy { $0.section != "serve" || loaded.origins[$0.rawValue] != nil })
        // `run` still ignores the section.
        #expect(
            try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration
                == ConfigurationLoader.load(
                    .run, file: folder.write("plain.yaml", Self.text("bridge.yaml.example")), environment: [:]
                ).configuration)
    }

    /// The keys that are commented out must be valid too.
    @Test func loadsWithEverythingOptional() throws {
        let text = try Self.text("bridge.yaml.example")
        let keys = [
            "server_name", "client_certificate", "client_key", "tls_key_log", "client_id", "username", "password",
            "alpn",
        ]
        var optional = text.replacing("  # mode: passthrough", with: "  mode: inject")
            .replacing("  # qlog: qlog", with: "  qlog: .")
            .replacing("client.pem", with: "ca-chain.pem")
            .replacing("/run/secrets/plant-7", with: "pw")
        for key in keys { optional = optional.replacing("\n  # \(key):", with: "\n  \(key):") }
        let overrides = try #require(optional.firstRange(of: "  # overrides:"))
        let end = try #require(optional[overrides.upperBound...].firstRange(of: "\n\n"))
        optional.replaceSubrange(
            overrides.lowerBound..<end.lowerBound,
            with: optional[overrides.lowerBound..<end.lowerBound].replacing("  # ", with: "  "))
        let (folder, file) = try Self.folder(optional)
        try folder.write("credential_certificates/client.key", TemporaryFolder.key)
        try folder.write("pw", "p")
        let configuration = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration
        #expect(configuration.auth.identity.clientID == "${clientid}")
        #expect(configuration.auth.identity.password == Secret("in quotes: it may hold # or :"))
        #expect(configuration.auth.overrides.map(\.identity.username) == ["plant-7", "visitor"])
        #expect(configuration.uplink.qlogDirectory != nil)
        #expect(configuration.uplink.alpn == UplinkConfiguration.Mapping.auto.alpn)
    }

    /// The endpoints and the fallback that are commented out must be valid too.
    @Test func loadsWithEndpointsAndFallback() throws {
        var text = try Self.text("bridge.yaml.example").replacing("  host: mqtt.tesaiot.com\n", with: "")
            .replacing("  port: 14567\n", with: "")
            .replacing("  # endpoints:", with: "  endpoints:")
            .replacing("  #   - {host: mqtt-a", with: "    - {host: mqtt-a")
            .replacing("  #   - {host: 192", with: "    - {host: 192")
            .replacing("  # ticket_file: /var/lib/mqtt-quic-bridge/", with: "  ticket_file: ")
            .replacing("  # fallback:", with: "  fallback:")
        for key in Key.allCases where key.section == "uplink.fallback" {
            text = text.replacing("\n    # \(key.name): ", with: "\n    \(key.name): ")
        }
        let (folder, file) = try Self.folder(text)
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:])
        let uplink = loaded.configuration.uplink
        #expect(
            uplink.endpoints == [
                UplinkEndpoint(host: "mqtt-a.example.com"),
                UplinkEndpoint(host: "192.0.2.7", serverName: "mqtt-b.example.com"),
            ])
        #expect(
            uplink.fallback
                == UplinkFallback(host: "mqtt.tesaiot.com", port: 8_884, serverName: "mqtt.tesaiot.com"))
        #expect(uplink.ticketFile == folder.path + "/tickets")
        #expect(loaded.origins["uplink.fallback.after"] != nil)
        #expect(loaded.warnings.isEmpty)
    }

    @Test func loadsWithDataStream() throws {
        var text = try Self.text("bridge.yaml.example").replacing("  mapping: auto\n", with: "  mapping: data-stream\n")
            .replacing("  devices_per_connection", with: "  # devices_per_connection")
            .replacing("  warm: 2", with: "  # warm: 2")
            .replacing("  # mode: passthrough", with: "  mode: local")
            .replacing("  # users_file", with: "  users_file")
            .replacing("  # anonymous", with: "  anonymous")
            .replacing("  # identity:", with: "  identity:")
        for key in Key.allCases where key.section == "uplink.identity" && !key.name.hasSuffix("_file") {
            text = text.replacing("    # \(key.name): ", with: "    \(key.name): ")
        }
        let (folder, file) = try Self.folder(text)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        try folder.write("users", "")
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:])
        #expect(
            loaded.configuration.uplink.identity
                == GatewayIdentity(
                    clientID: "gateway-1", username: "gateway-1", password: Secret("in quotes: it may hold # or :")))
        #expect(loaded.configuration.auth == AuthConfiguration(mode: .local, usersFile: folder.path + "/users"))
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.origins["uplink.identity.version"] != nil)
        #expect(loaded.origins["uplink.identity.keep_alive"] != nil)
        #expect(loaded.origins["auth.anonymous"] != nil)
    }

    /// An unchanged copy of `.env.example` must not override anything in bridge.yaml.
    @Test func dotEnvLoadsAsItIs() throws {
        let (folder, file) = try Self.folder(Self.text("bridge.yaml.example"))
        let before = try ConfigurationLoader.load(.run, file: file, environment: [:])
        try folder.write(".env", Self.text("deploy/.env.example"))
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:])
        #expect(loaded.warnings.isEmpty && loaded.notes.isEmpty)
        #expect(loaded.configuration == before.configuration)
        #expect(loaded.origins == before.origins)
    }

    @Test func dotEnvFilledIn() throws {
        let (folder, file) = try Self.folder(Self.text("bridge.yaml.example"))
        var text = try Self.text("deploy/.env.example").replacing("#MQTT_USERNAME=", with: "MQTT_USERNAME=id")
            .replacing("#MQTT_PASSWORD=", with: "MQTT_PASSWORD=s#c")
        // Each of the other lines, with the value that it has.
        for name in ["#MQTT_", "#BRIDGE_"] { text = text.replacing("\n\(name)", with: "\n\(name.dropFirst())") }
        try folder.write(".env", text)
        let loaded = try ConfigurationLoader.load(.run, file: file, environment: [:])
        #expect(loaded.configuration.auth.identity == .init(clientID: "id", username: "id", password: Secret("s#c")))
        #expect(loaded.configuration.uplink.host == "mqtt.tesaiot.com")
    }
}
