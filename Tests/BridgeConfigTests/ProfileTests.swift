import BridgeCore
import Testing

@testable import BridgeConfig

/// The key `profile`: what it fills in, what wins over it, and what it refuses.
struct ProfileTests {
    private static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.write("credential_certificates/ca-chain.pem", TemporaryFolder.certificate)
        return folder
    }

    private static func load(
        _ text: String, dotEnv: String? = nil, environment: [String: String] = [:]
    ) throws -> LoadedConfiguration {
        let folder = try folder()
        return try ConfigurationLoader.load(
            .run, text: text, folder: folder.path, dotEnv: dotEnv, environment: environment)
    }

    @Test func oneLineIsAConfiguration() throws {
        let loaded = try Self.load("profile: tesaiot\n")
        let configuration = loaded.configuration
        #expect(loaded.warnings.isEmpty && loaded.notes.isEmpty)
        #expect(configuration.platform == .tesaiot && configuration.routes == TESAIoT.routes)
        #expect(configuration.routes.map(\.local).contains("firmware/#") && configuration.unrouted == .reject)
        #expect(configuration.uplink.host == "mqtt.tesaiot.com" && configuration.uplink.port == 14_567)
        #expect(configuration.uplink.fallback == UplinkFallback(host: "mqtt.tesaiot.com", port: 8_884))
        #expect(configuration.uplink.caFile.hasSuffix("credential_certificates/ca-chain.pem"))
        #expect(loaded.origins["uplink.host"]?.description == "profile tesaiot")
        #expect(loaded.routeOrigins.count == 7)
    }

    @Test func whatComesFromTheProfileIsMarked() throws {
        let folder = try Self.folder()
        let loaded = try ConfigurationLoader.load(
            .run, text: "profile: tesaiot\nuplink: {port: 14568}\n", folder: folder.path)
        let shown = EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins)
        for line in [
            "profile: tesaiot\n", "host: mqtt.tesaiot.com  # from profile tesaiot\n", "port: 14568\n",
            "ca-chain.pem  # from profile tesaiot\n", "port: 8884  # TLS over TCP, from profile tesaiot\n",
            "routes:  # from profile tesaiot\n", "unrouted: reject  # from profile tesaiot\n",
        ] {
            #expect(shown.contains(line), "\(line) in \(shown)")
        }
        // As a file it means the same.
        let again = try ConfigurationLoader.load(.run, text: shown).configuration
        var expected = loaded.configuration
        // What check shows names every key.
        expected.admin.isListenGiven = true
        withExtendedLifetime(folder) { #expect(again == expected) }
    }

    @Test(
        arguments: [
            ("uplink: {host: mqtt.example.com}", [:]), ("", ["BRIDGE_UPLINK_HOST": "mqtt.example.com"]),
            ("", ["MQTT_HOST": "mqtt.example.com"]), ("uplink: {endpoints: [mqtt.example.com]}", [:]),
        ] as [(String, [String: String])])
    func anotherHostHasNoFallback(_ text: String, _ environment: [String: String]) throws {
        let loaded = try Self.load("profile: tesaiot\n\(text)\n", environment: environment)
        #expect(loaded.configuration.uplink.host == "mqtt.example.com" && loaded.configuration.uplink.port == 14_567)
        #expect(loaded.configuration.uplink.fallback == nil && loaded.warnings.isEmpty)
        #expect(loaded.configuration.routes == TESAIoT.routes)
    }

    @Test(
        arguments: [
            ("uplink: {fallback: {after: 2s}}", 8_884), ("uplink: {host: a, fallback: {after: 2s}}", 8_884),
            ("uplink: {host: a, fallback: {host: b}}", 8_884), ("uplink: {fallback: {port: 1}}", 1),
            ("uplink: {fallback: {port: off}}", nil), ("uplink: {host: MQTT.tesaiot.com}", 8_884),
        ] as [(String, Int?)])
    func theFallback(_ text: String, _ port: Int?) throws {
        #expect(try Self.load("profile: tesaiot\n\(text)\n").configuration.uplink.fallback?.port == port)
    }

    @Test func withAClientCertificateTheFallbackIsTheOtherPort() throws {
        let folder = try Self.folder()
        try folder.write("key.pem", TemporaryFolder.key)
        let text = "profile: tesaiot\nuplink: {client_certificate: ca.pem, client_key: key.pem}\n"
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(loaded.configuration.uplink.fallback?.port == 8_883)
    }

    @Test func theFallbackThatIsOffStaysOffInWhatCheckShows() throws {
        let folder = try Self.folder()
        let loaded = try ConfigurationLoader.load(
            .run, text: "profile: tesaiot\nuplink: {fallback: {port: off}}\n", folder: folder.path)
        let shown = EffectiveConfiguration.render(loaded.configuration, origins: loaded.origins)
        let again = try ConfigurationLoader.load(.run, text: shown).configuration
        var expected = loaded.configuration
        // What check shows names every key.
        expected.admin.isListenGiven = true
        withExtendedLifetime(folder) { #expect(again == expected) }
    }

    @Test(arguments: ["routes: []", "routes: [{local: \"a/#\", remote: \"device/${clientid}/status/#\"}]"])
    func routesOfTheFileWin(_ text: String) throws {
        let configuration = try Self.load("profile: tesaiot\n\(text)\nunrouted: drop\n").configuration
        #expect(configuration.routes.count == (text.contains("local") ? 1 : 0) && configuration.unrouted == .drop)
    }

    // MARK: - Errors and warnings

    @Test(arguments: [
        (
            "profile: tesaoit",
            "bridge.yaml:1:10: profile: \"tesaoit\" is not a value of this key; did you mean \"tesaiot\"? "
                + "the only value is tesaiot"
        ),
        (
            "profile: tesaiot\nroutes: [{local: \"a\", remote: \"device/${username}/heartbeat\"}]",
            "bridge.yaml:2:31: routes[0].remote: the platform disconnects a device that publishes there; it takes "
                + "telemetry, status, events, metrics"
        ),
        (
            "profile: tesaiot\nauth: {mode: inject, username: d1, client_id: d1}\n"
                + "routes: [{local: a, remote: device/d2/status}]",
            "bridge.yaml:3:29: routes[0].remote: the topic is another device's, and the platform disconnects a device "
                + "that publishes there; a device publishes to device/<its own id>/"
        ),
    ])
    func refuses(_ text: String, _ expected: String) throws {
        let lines = try errors(text + "\n", folder: Self.folder())
        #expect(lines.contains(expected), "\(lines)")
    }

    @Test func dataStreamIsRefused() throws {
        let text = """
            profile: tesaiot
            uplink: {mapping: data-stream, identity: {client_id: g}}
            auth: {mode: local, anonymous: true}

            """
        let lines = try errors(text, folder: Self.folder())
        #expect(
            lines.contains { $0.hasPrefix("bridge.yaml:2:19: uplink.mapping: cannot be used with profile tesaiot") })
    }

    @Test(arguments: [
        ("limits: {packet_size: 11MB}", "limits.packet_size: the platform accepts 10MB"),
        ("uplink: {hold_time: 3h}", "uplink.hold_time: the platform forgets a session after 2h"),
        ("unrouted: pass", "unrouted: pass lets devices publish to every topic"),
        (
            "routes: [{local: \"t/#\", remote: \"devices/${username}/telemetry/#\"}]",
            "routes[0].remote: the platform accepts messages there and never stores them"
        ),
        ("routes: [{local: a, remote: device/d2/status}]", "routes[0].remote: only the device of that id may publish"),
        (
            "auth: {mode: inject, username: d1}\nroutes: [{local: a, remote: device/d2/status}]",
            "routes[0].remote: only the device of that id may publish there, and messages"
        ),
        (
            "routes: [{local: a, remote: device/d2/config, direction: down}]",
            "routes[0].remote: only the device of that id may subscribe there, and subscriptions"
        ),
        ("uplink: {fallback: {port: off, after: 2s}}", "uplink.fallback.after: has no effect"),
    ])
    func warns(_ text: String, _ expected: String) throws {
        let warnings = try Self.load("profile: tesaiot\n\(text)\n").warnings
        #expect(warnings.count == 1 && warnings.first?.contains(expected) == true, "\(warnings)")
    }

    @Test func aBetterCAIsNamedIfTheOneOfTheProfileIsMissing() throws {
        let folder = try TemporaryFolder()
        let lines = try errors("profile: tesaiot\n", folder: folder)
        #expect(lines.count == 1 && lines[0].hasPrefix("profile tesaiot: uplink.ca: DIR/credential_certificates/"))
    }
}
