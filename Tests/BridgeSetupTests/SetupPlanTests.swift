import BridgeConfig
import BridgeCore
import Foundation
import Testing

@testable import BridgeSetup

struct SetupPlanTests {
    private static func plan(
        _ source: SetupSource, in folder: SetupFolder, _ change: (inout SetupRequest) -> Void = { _ in }
    ) throws -> SetupPlan {
        var request = SetupRequest()
        change(&request)
        return try SetupPlan(source, request, SetupPaths(output: folder.path))
    }

    /// Writes the plan, and loads what was written as `run` would.
    private static func load(_ plan: SetupPlan) throws -> LoadedConfiguration {
        try plan.write()
        return try ConfigurationLoader.load(.run, file: plan.paths.file, environment: [:])
    }

    private static func problem(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func aFolderBecomesAConfiguration() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("credential_certificates/b")
        let plan = try Self.plan(.folder("\(folder.path)/credential_certificates/b"), in: folder)
        let loaded = try Self.load(plan)
        let configuration = loaded.configuration
        #expect(configuration.platform == .tesaiot && configuration.routes == TESAIoT.routes)
        #expect(configuration.uplink.host == "mqtt.tesaiot.com" && configuration.uplink.port == 14_567)
        #expect(configuration.uplink.caFile == "\(folder.path)/credential_certificates/b/ca-chain.pem")
        #expect(configuration.auth.mode == .inject && configuration.auth.identity.clientID == "sensor-1")
        #expect(configuration.auth.identity.username == "sensor-1")
        #expect(configuration.auth.identity.password == Secret("s3#c$r%t!"))
        #expect(try folder.mode("credential_certificates/sensor-1.password") == 0o600)
        #expect(!plan.report().contains("s3#c") && !plan.text.contains("s3#c"))
        #expect(plan.missing.isEmpty && plan.report().contains("written to credential_certificates/sensor-1.password"))
    }

    @Test(arguments: ["", "device-bundle/"])
    func aZipFileIsUnpacked(_ inner: String) throws {
        let folder = try SetupFolder()
        let zip = try folder.write("credential_certificates/b.zip", SetupFolder.zippedBundle(in: inner))
        let loaded = try Self.load(try Self.plan(.zip(zip), in: folder))
        #expect(loaded.configuration.auth.identity.username == "sensor-1")
        #expect(
            folder.names == [
                "bridge.yaml", "credential_certificates", "credential_certificates/b", "credential_certificates/b.zip",
                "credential_certificates/b/ca-chain.pem", "credential_certificates/b/endpoints.json",
                "credential_certificates/b/mqtt-quic-config.json", "credential_certificates/sensor-1.password",
            ])
        #expect(try folder.mode("credential_certificates/b") == 0o700)
        #expect(try folder.mode("credential_certificates/b/mqtt-quic-config.json") == 0o600)
        // Once it is unpacked, the zip file is no second bundle.
        let candidates = SetupSource.candidates(SetupPaths(output: folder.path)).compactMap(\.path)
        #expect(candidates == ["\(folder.path)/credential_certificates/b"])
    }

    @Test func nothingIsLeftBehindByAPlanThatFails() throws {
        let folder = try SetupFolder()
        let zip = try folder.write("credential_certificates/b.zip", SetupFolder.zippedBundle())
        let plan = try Self.plan(.zip(zip), in: folder)
        // In the way only when everything else is written.
        try folder.write("bridge.yaml", "other")
        #expect(Self.problem { try plan.write() }?.contains("bridge.yaml is in the way") == true)
        #expect(folder.names == ["bridge.yaml", "credential_certificates", "credential_certificates/b.zip"])
        #expect(try folder.text("bridge.yaml") == "other")
    }

    @Test func theFolderOfCredentialsIsNotLeftBehindEither() throws {
        let folder = try SetupFolder()
        let zip = try folder.write("b.zip", SetupFolder.zippedBundle())
        let plan = try Self.plan(.zip(zip), in: folder)
        try folder.write("bridge.yaml", "other")
        #expect(Self.problem { try plan.write() }?.contains("bridge.yaml is in the way") == true)
        #expect(folder.names == ["b.zip", "bridge.yaml"])
    }

    @Test(arguments: ["bridge.yaml", "credential_certificates/b", "credential_certificates/sensor-1.password"])
    func nothingIsOverwritten(_ name: String) throws {
        let folder = try SetupFolder()
        let zip = try folder.write("credential_certificates/b.zip", SetupFolder.zippedBundle())
        try folder.write(name, "mine")
        let problem = Self.problem { try Self.plan(.zip(zip), in: folder).write() }
        #expect(problem?.contains("\(name) is in the way") == true, "\(problem ?? "nothing")")
        #expect(try folder.text(name) == "mine")
        #expect(folder.names.count == 3)
    }

    @Test func aPasswordFileOfTheSameContentIsTakenAsItIs() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b")
        try folder.write("credential_certificates/sensor-1.password", "s3#c$r%t!\n")
        #expect(
            try Self.load(try Self.plan(.folder("\(folder.path)/b"), in: folder)).configuration.auth.mode == .inject)
    }

    @Test func aPasswordFileThatOthersCanReadIsNotTaken() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b")
        try folder.write("credential_certificates/sensor-1.password", "s3#c$r%t!\n", mode: 0o644)
        let problem = Self.problem { try Self.plan(.folder("\(folder.path)/b"), in: folder).write() }
        #expect(problem?.contains("is in the way") == true)
    }

    @Test func aPlaceholderIsNamed() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b", password: "<retrieve-via-password-reset>")
        let plan = try Self.plan(.folder("\(folder.path)/b"), in: folder)
        #expect(plan.report().contains("the password is still the placeholder in angle brackets"))
        #expect(plan.report().contains("without a password, devices have to send their own"))
        #expect(try Self.load(plan).configuration.auth.mode == .passthrough)
        #expect(!folder.names.contains { $0.hasSuffix(".password") })
    }

    @Test func optionsWinOverTheBundle() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b", password: "<placeholder>")
        let password = try folder.write("secret", "pass\n")
        let plan = try Self.plan(.folder("\(folder.path)/b"), in: folder) {
            ($0.host, $0.port, $0.fallbackPort) = ("mqtt.example.com", 1_234, 8_884)
            ($0.deviceID, $0.username, $0.passwordFile) = ("id", "name", password)
            ($0.listen, $0.profile) = ("127.0.0.1:1999", SetupRequest.Profile.none)
        }
        #expect(plan.missing.isEmpty, "\(plan.missing)")
        let configuration = try Self.load(plan).configuration
        #expect(configuration.uplink.host == "mqtt.example.com" && configuration.uplink.port == 1_234)
        #expect(configuration.uplink.fallback?.port == 8_884 && configuration.platform == nil)
        #expect(configuration.auth.identity.clientID == "id" && configuration.auth.identity.username == "name")
        #expect(configuration.auth.identity.password == Secret("pass") && configuration.listen[0].port == 1_999)
        #expect(configuration.routes.isEmpty)
    }

    /// What the options make up for is not to be looked at any more.
    @Test func optionsSettleWhatIsMissing() throws {
        let folder = try SetupFolder()
        try folder.write("b/mqtt-quic-config.json", "{\"tls\": {\"ca_file\": \"gone.pem\"}}")
        let password = try folder.write("secret", "pass\n")
        let ca = try folder.write("ca.pem", SetupFolder.certificate)
        let plan = try Self.plan(.folder("\(folder.path)/b"), in: folder) {
            ($0.host, $0.ca, $0.deviceID, $0.passwordFile) = ("mqtt.example.com", ca, "id", password)
        }
        #expect(plan.missing.isEmpty, "\(plan.missing)")
        let other = try Self.plan(.folder("\(folder.path)/b"), in: folder) { $0.ca = ca }
        #expect(other.missing.count == 4, "\(other.missing)")
    }

    @Test func aDotEnvBesidesIsLeftToTheLoader() throws {
        let folder = try SetupFolder()
        try folder.write("ca.pem", SetupFolder.certificate)
        let text = "MQTT_HOST=mqtt.example.com\nMQTT_PORT=14567\nMQTT_USERNAME=d1\nMQTT_PASSWORD=p#$%!\n"
        let dotEnv = try folder.write(".env", text)
        #expect(SetupSource.candidates(SetupPaths(output: folder.path)).compactMap(\.path) == [dotEnv])
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) { $0.ca = folder.path + "/ca.pem" }
        let configuration = try Self.load(plan).configuration
        #expect(configuration.uplink.host == "mqtt.example.com" && configuration.auth.mode == .inject)
        #expect(configuration.auth.identity.password == Secret("p#$%!") && configuration.auth.identity.clientID == "d1")
        #expect(folder.names == [".env", "bridge.yaml", "ca.pem"])
    }

    @Test func aDotEnvElsewhereIsReadOnce() throws {
        let folder = try SetupFolder()
        try folder.write("device/ca-chain.pem", SetupFolder.certificate)
        let text = "MQTT_HOST=mqtt.example.com\nMQTT_PORT=14567\nMQTT_USERNAME=d/1\nMQTT_PASSWORD=p#$%!\n"
        let dotEnv = try folder.write("device/my.env", text + "MQTT_CA_CERT=certs/ca-chain.pem\n")
        guard case .dotEnv = try SetupSource.at(dotEnv) else {
            Issue.record("not a .env")
            return
        }
        let configuration = try Self.load(try Self.plan(.dotEnv(dotEnv), in: folder)).configuration
        #expect(configuration.uplink.caFile == folder.path + "/device/ca-chain.pem")
        #expect(configuration.auth.identity.password == Secret("p#$%!"))
        #expect(folder.names.contains("credential_certificates/d_1.password"))
    }

    @Test func optionsAloneAreEnough() throws {
        let folder = try SetupFolder()
        let ca = try folder.write("ca.pem", SetupFolder.certificate)
        let plan = try Self.plan(.options, in: folder) { ($0.host, $0.ca) = ("mqtt.example.com", ca) }
        #expect(plan.text.contains("  ca: ca.pem\n"))
        let configuration = try Self.load(plan).configuration
        #expect(configuration.platform == nil && configuration.auth.mode == .passthrough)
        // The platform's host brings its profile.
        let other = try SetupFolder()
        let known = try Self.plan(.options, in: other) { ($0.host, $0.ca) = ("mqtt.tesaiot.com", ca) }
        #expect(try Self.load(known).configuration.platform == .tesaiot)
    }

    @Test(arguments: [
        (["mqtt-quic-config.json": "{\"host\": \"a\""], "mqtt-quic-config.json:1"),
        (
            ["mqtt-quic-config.json": "{\"host\": \"a\", \"port\": 1}"],
            "the CA that signed the broker's certificate is missing"
        ),
        (["notes.txt": "x"], "is not a TESAIoT bundle"),
        (
            [
                "mqtt-quic-config.json": "{\"host\": \"a b\"}",
                "ca-chain.pem": SetupFolder.certificate,
            ], "host"
        ),
    ])
    func anUnusableBundleWritesNothing(_ files: [String: String], _ expected: String) throws {
        let folder = try SetupFolder()
        for (name, text) in files { try folder.write("b/\(name)", text) }
        let problem = Self.problem { try Self.plan(.folder("\(folder.path)/b"), in: folder).write() }
        #expect(problem?.contains(expected) == true, "\(problem ?? "nothing")")
        #expect(!folder.names.contains("bridge.yaml"))
    }

    @Test func severalBundlesAreAllNamed() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("credential_certificates/b")
        try folder.writeBundle("credential_certificates/a")
        try folder.write("credential_certificates/c.zip", SetupFolder.zippedBundle())
        try folder.write("credential_certificates/ca-chain.pem", SetupFolder.certificate)
        let names = SetupSource.candidates(SetupPaths(output: folder.path)).compactMap(\.path)
        #expect(names == ["a", "b", "c.zip"].map { "\(folder.path)/credential_certificates/\($0)" })
    }

    @Test(arguments: [
        ("sensor-1", "sensor-1"), ("a/b", "a_b"), ("../x", "_.._x"), (".hidden", "_.hidden"), ("é", "_"),
        ("a b", "a_b"),
    ])
    func deviceIdsBecomeFileNames(_ id: String, _ name: String) {
        #expect(SetupPlan.fileName(id) == name)
    }
}
