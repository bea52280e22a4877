import Foundation
import Testing

/// `auth.mode: bundles`: firmware without credentials stands behind the gateway, and the broker sees the devices of a
/// folder of bundles.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection, .mux))
struct BundleTests {
    /// What the platform may put into a password.
    private static let password = "p#a%s$s! \"quoted\""

    /// A folder of bundles, which is gone after the test.
    private struct Bundles: Sendable {
        let folder: Folder

        func write(
            _ name: String, _ username: String, _ password: String = BundleTests.password, host: String = "localhost",
            mode: Int = 0o600
        ) throws {
            let quoted = password.replacing("\"", with: "\\\"")
            try write(
                name,
                text: """
                    {"protocol": "mqtts", "host": "\(host)", "port": 14567, "transport": "quic",
                     "auth": {"method": "username_password", "username": "\(username)", "password": "\(quoted)"}}
                    """, mode: mode)
        }

        /// Puts the file into its place at once, as `mv` does.
        func write(_ name: String, text: String, mode: Int = 0o600) throws {
            let manager = FileManager.default
            try manager.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
            let draft = try folder.write("\(name)/draft", text)
            try manager.setAttributes([.posixPermissions: mode], ofItemAtPath: draft)
            _ = try folder.replace("\(name)/mqtt-quic-config.json", by: draft)
        }

        func remove(_ name: String) throws {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
    }

    private func run(
        users: [String: String] = ["dev-1": password, "dev-2": password], more: String = "",
        uplink: [String] = [], relayed: Bool = false,
        _ prepare: (Bundles) throws -> Void = { try $0.write("pump", "dev-1") },
        _ body: @escaping @Sendable (Scenario, Bundles) async throws -> Void
    ) async throws {
        let bundles = Bundles(folder: try Folder())
        defer { bundles.folder.remove() }
        try prepare(bundles)
        var options = Scenario.Options()
        options.broker.users = users
        options.uplink = uplink
        options.relayed = relayed
        options.configuration = """
            auth:
              mode: bundles
              bundles: \(bundles.folder.path)
              bundle_map: [{client_id: old-pump, device_id: dev-1}, {client_id: orphan, device_id: dev-9}]
            \(more)
            """
        try await Scenario.run(options) { scenario in
            try await body(scenario, bundles)
            #expect(await scenario.linesOfBridge("p#a").isEmpty)
        }
    }

    @Test(arguments: ["3.1", "3.1.1", "5.0"])
    func aDeviceWithoutCredentialsIsTheDeviceOfItsBundle(version: String) async throws {
        let routes = #"routes: [{local: "telemetry/#", remote: "device/${username}/telemetry/#"}]"#
        try await run(more: routes) { scenario, _ in
            let observer = await scenario.client("observer")
            try await observer.connect(
                port: scenario.broker.port, ["username": "dev-2", "password": .string(Self.password)])
            try await observer.subscribe("device/#")
            for name in ["dev-1", "old-pump"] {
                let device = try await scenario.device(name, ["version": .string(version)])
                try await device.publish("telemetry/\(name)", "hello", qos: 1)
                #expect(try await observer.message().topic == "device/dev-1/telemetry/\(name)")
                try await device.disconnect()
            }
            try await scenario.broker.logs("as dev-1 (")
            try await scenario.broker.logs("u'dev-1')")
        }
    }

    /// "Not authorized" is 5 in 3.1.1 and 0x87 in 5.0, "bad user name or password" is 4 and 0x86. paho reports the codes
    /// of 5.0 for both.
    @Test(arguments: ["3.1.1", "5.0"])
    func aDeviceWithoutABundleIsRefused(version: String) async throws {
        let prepare: (Bundles) throws -> Void = {
            try $0.write("pump", "dev-1")
            try $0.write("new", "dev-3", "<your device password>")
        }
        try await run(prepare) { scenario, _ in
            for (name, code, words) in [
                ("stranger", 0x87, "there is no bundle for it in auth.bundles"),
                ("orphan", 0x87, "which has no bundle"),
                ("dev-3", 0x86, "still has a placeholder in angle brackets"),
            ] {
                let refused = try await scenario.client(name).tryConnect(
                    port: scenario.bridge.port, ["version": .string(version)])
                #expect(refused.event == "connected" && refused.code == code, "\(name)")
                try await scenario.bridgeLogs("session ended", "client id \\\"\(name)\\\"", words)
            }
            // The bridge has not asked the broker.
            #expect(await !scenario.broker.process.errors.all.contains { $0.contains("stranger") })
        }
    }

    @Test func credentialsOfTheDeviceAreCheckedByTheBroker() async throws {
        try await run { scenario, _ in
            let right: [String: JSONValue] = ["username": "dev-2", "password": .string(Self.password)]
            _ = try await scenario.device("someone", right)
            try await scenario.broker.logs("as someone (")
            let wrong = try await scenario.client("dev-1").tryConnect(
                port: scenario.bridge.port, ["username": "dev-1", "password": "guess"])
            #expect(wrong.code == 0x87)
        }
    }

    @Test func theFolderIsFollowed() async throws {
        try await run { scenario, bundles in
            let first = try await scenario.device("dev-1")
            var start = await scenario.bridge.process.errors.count
            try bundles.write("valve", "dev-2")
            _ = try await scenario.bridgeLogs("bundles reloaded", "bundles=2", "usable=2", from: start)
            let second = try await scenario.device("dev-2")

            // A damaged bundle keeps what it gave, and the others work.
            start = await scenario.bridge.process.errors.count
            try bundles.write("valve", text: "{\"auth\": {\"password\": \"p#a")
            _ = try await scenario.bridgeLogs(
                "a bundle needs attention", "valve/mqtt-quic-config.json:1:", "is not JSON", from: start)
            try await second.disconnect()
            _ = try await scenario.device("dev-2")

            // A bundle that is gone lets nobody in any more, but disconnects nobody.
            start = await scenario.bridge.process.errors.count
            try bundles.remove("pump")
            _ = try await scenario.bridgeLogs("bundles reloaded", "bundles=1", from: start)
            try await first.publish("still/there", "yes", qos: 1)
            let again = try await scenario.client("old-pump").tryConnect(port: scenario.bridge.port)
            #expect(again.code == 0x87)
            #expect(await !first.wasDisconnected)
        }
    }

    /// The device is connected again in its absence, with the identity of its bundle.
    @Test func aHeldDeviceKeepsItsIdentity() async throws {
        try await run(uplink: Uplink.brisk + Uplink.hold(), relayed: true) { scenario, bundles in
            let device = try await scenario.device("old-pump", ["clean": false, "keep_alive": 3])
            try await scenario.relay.blackOut(true)
            try await scenario.holds()
            try bundles.remove("pump")
            try await scenario.bridgeSays("bundles reloaded")
            try await scenario.isForgotten()
            let sent = try await device.startPublishing("up", "held", qos: 1)
            try await scenario.relay.blackOut(false)
            try await scenario.reconnects()
            try await device.acknowledged(sent)
            #expect(await !device.wasDisconnected)
        }
    }

    @Test func aReloadGoesOverToAnotherFolder() async throws {
        let other = Bundles(folder: try Folder())
        defer { other.folder.remove() }
        try other.write("valve", "dev-2")
        try await run { scenario, bundles in
            let device = try await scenario.device("old-pump")
            let said = try await scenario.bridge.reload {
                $0.replacing(bundles.folder.path, with: other.folder.path)
            }
            #expect(said.contains("the configuration was reloaded"))
            _ = try await device.disconnected()
            _ = try await scenario.device("dev-2")
            let refused = try await scenario.client("dev-1").tryConnect(port: scenario.bridge.port)
            #expect(refused.code == 0x87)
        }
    }

    @Test func checkSaysWhatIsWrongWithWhichBundle() async throws {
        let certificates = try await Certificates.make()
        let bundles = Bundles(folder: try Folder())
        defer { bundles.folder.remove() }
        try bundles.write("a", "dev-1")
        try FileManager.default.copyItem(
            atPath: certificates.certificate("expired"), toPath: "\(bundles.folder.path)/a/ca-chain.pem")
        try bundles.write("b", "dev-2", "<password>")
        try bundles.write("c", "dev-3", mode: 0o644)
        try bundles.write("d", text: "{\"port\": 0}")
        try bundles.write("e", "dev-4", host: "other.example")
        var options = Scenario.Options()
        options.configuration = """
            auth:
              mode: bundles
              bundles: \(bundles.folder.path)
              bundle_map: [{client_id: orphan, device_id: dev-9}]
            """
        let file = try bundles.folder.write("bridge.yaml", try await Scenario.configuration(options, port: 14567))
        let (end, said) = try await CheckTests.bridge(["check", "--config", file])
        #expect(end == .exit(0), "\(said)")
        for words in [
            "4 devices have a bundle, 3 with a password; damaged: 1, without a password: 1, for another broker: 1, "
                + "readable by other users: 1",
            "/b: still has a placeholder in angle brackets for a password",
            "/c/mqtt-quic-config.json: contains a password and can be read by other users; chmod 600 it",
            "/d/mqtt-quic-config.json:1:10: port: \"0\" is not a port, 1 to 65535",
            "/e/mqtt-quic-config.json:1:31: is for the broker other.example",
            "/a/ca-chain.pem: the certificate ", " expired on ",
            "auth.bundle_map: \"orphan\": there is no bundle of the device \"dev-9\"",
        ] {
            #expect(said.contains(words), "\(words)\n\(said)")
        }
        #expect(!said.contains("p#a"))
    }
}
