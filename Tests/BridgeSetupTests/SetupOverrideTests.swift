import BridgeConfig
import BridgeCore
import Testing

@testable import BridgeSetup

/// What becomes of options and bundle if a `.env` beside the configuration file overrides them, and of a configuration
/// that could not be used.
struct SetupOverrideTests {
    private static func plan(
        _ source: SetupSource, in folder: SetupFolder, _ change: (inout SetupRequest) throws -> Void
    ) throws -> SetupPlan {
        var request = SetupRequest()
        request.ca = try folder.write("ca.pem", SetupFolder.certificate)
        try change(&request)
        return try SetupPlan(source, request, SetupPaths(output: folder.path))
    }

    private static func problem(_ plan: SetupPlan) -> String? {
        do {
            try plan.write()
            return nil
        } catch {
            return error.description
        }
    }

    /// An option, as the operator gives it.
    struct Option: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var set: @Sendable (inout SetupRequest, SetupFolder) throws -> Void

        static let all: [Option] = [
            Option(testDescription: "--host") { request, _ in request.host = "other.example" },
            Option(testDescription: "--port") { request, _ in request.port = 1_234 },
            Option(testDescription: "--username") { request, _ in request.username = "other" },
            Option(testDescription: "--device-id") { request, _ in request.deviceID = "other" },
            Option(testDescription: "--password-file") { request, folder in
                request.passwordFile = try folder.write("other.password", "other\n")
            },
            Option(testDescription: "--ca") { _, _ in },
            Option(testDescription: "--listen") { request, _ in request.listen = "127.0.0.1:2883" },
            Option(testDescription: "--fallback-port") { request, _ in request.fallbackPort = 2_883 },
        ]
    }

    private static let dotEnv = """
        MQTT_HOST=mqtt.example.com
        MQTT_PORT=14567
        MQTT_CLIENT_ID=c1
        MQTT_USERNAME=d1
        MQTT_PASSWORD=p#$%!
        MQTT_CA_CERT=mine.pem
        BRIDGE_LISTEN=127.0.0.1:1999
        BRIDGE_UPLINK_FALLBACK_PORT=9883

        """

    @Test(arguments: Option.all, ["bundle", ".env"])
    func anOptionThatHasNoEffectIsRefused(_ option: Option, _ source: String) throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b")
        try folder.write("mine.pem", SetupFolder.certificate)
        let own = option.testDescription
        // Only what is about this option, so that no other one is refused first.
        let names = [
            "--host": "MQTT_HOST", "--port": "MQTT_PORT", "--username": "MQTT_USERNAME",
            "--device-id": "MQTT_CLIENT_ID", "--password-file": "MQTT_PASSWORD", "--ca": "MQTT_CA_CERT",
            "--listen": "BRIDGE_LISTEN", "--fallback-port": "BRIDGE_UPLINK_FALLBACK_PORT",
        ]
        let name = try #require(names[own])
        let lines = Self.dotEnv.split(separator: "\n").filter { own == "--ca" || !$0.hasPrefix("MQTT_CA_CERT") }
        let dotEnv = try folder.write(".env", lines.joined(separator: "\n"))
        let plan = try Self.plan(source == ".env" ? .dotEnv(dotEnv) : .folder("\(folder.path)/b"), in: folder) {
            try option.set(&$0, folder)
        }
        let before = folder.names
        let problem = Self.problem(plan)
        #expect(problem?.contains("\(own) would have no effect") == true, "\(problem ?? "nothing")")
        #expect(problem?.contains(": \(name) overrides") == true, "\(problem ?? "nothing")")
        #expect(folder.names == before)
    }

    @Test func anOptionMayRepeatWhatTheDotEnvSays() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_USERNAME=d1\nMQTT_PASSWORD=p\n")
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) {
            ($0.host, $0.username) = ("mqtt.example.com", "d1")
        }
        #expect(Self.problem(plan) == nil)
    }

    /// What the `.env` leaves open, options say.
    @Test func optionsAddToTheDotEnvBesides() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_USERNAME=d1\nMQTT_PASSWORD=p\n")
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) { ($0.port, $0.deviceID) = (1_234, "id") }
        try plan.write()
        #expect(plan.text.hasSuffix("\"id\"\n  # The rest of the identity is in .env, which overrides this file.\n"))
        let file = folder.path + "/bridge.yaml"
        let configuration = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration
        #expect(configuration.uplink.host == "mqtt.example.com" && configuration.uplink.port == 1_234)
        let identity = configuration.auth.identity
        #expect(identity.clientID == "id" && identity.username == "d1" && identity.password == Secret("p"))
        #expect(folder.names == [".env", "bridge.yaml", "ca.pem"])
    }

    @Test func aPasswordFileAddsToTheDotEnvBesides() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_USERNAME=d1\n")
        let password = try folder.write("secret", "p\n")
        try Self.plan(.dotEnv(dotEnv), in: folder) { $0.passwordFile = password }.write()
        let file = folder.path + "/bridge.yaml"
        let identity = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration.auth.identity
        #expect(identity.clientID == "d1" && identity.username == "d1" && identity.password == Secret("p"))
    }

    /// The `.env` would override a copy of its password.
    @Test(arguments: ["id", nil]) func aPasswordInTheDotEnvBesidesIsNotCopied(_ deviceID: String?) throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_PASSWORD=p\n")
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) { request in
            request.deviceID = deviceID
            if deviceID == nil { request.username = "name" }
        }
        #expect(plan.report().contains("stays in .env"))
        try plan.write()
        #expect(folder.names == [".env", "bridge.yaml", "ca.pem"])
        let file = folder.path + "/bridge.yaml"
        let identity = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration.auth.identity
        let name = deviceID ?? "name"
        #expect(identity.clientID == name && identity.username == name && identity.password == Secret("p"))
    }

    @Test func aClientIDIsAddedToAUserNameInTheDotEnvBesides() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_USERNAME=u\n")
        try Self.plan(.dotEnv(dotEnv), in: folder) { $0.deviceID = "d1" }.write()
        let file = folder.path + "/bridge.yaml"
        let auth = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration.auth
        #expect(auth.mode == .inject && auth.identity.clientID == "d1" && auth.identity.username == "u")
    }

    @Test func aPasswordFileWithoutAUserNameIsNotForgotten() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\nMQTT_PASSWORD=p\n")
        let password = try folder.write("secret", "p\n")
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) { $0.passwordFile = password }
        #expect(plan.report().contains("--password-file has no effect"))
    }

    @Test func aDotEnvWithoutAnIdentityIsNotSaidToHaveOne() throws {
        let folder = try SetupFolder()
        let dotEnv = try folder.write(".env", "MQTT_HOST=mqtt.example.com\n")
        let plan = try Self.plan(.dotEnv(dotEnv), in: folder) { _ in }
        try plan.write()
        #expect(plan.text.contains("# Devices show the broker their own client id"))
        #expect(!plan.text.contains("is in .env,"))
        let file = folder.path + "/bridge.yaml"
        let configuration = try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration
        #expect(configuration.auth.mode == .passthrough)
    }

    @Test func aDotEnvThatWinsOverTheBundleIsNamed() throws {
        let folder = try SetupFolder()
        try folder.writeBundle("b")
        try folder.write(".env", "MQTT_HOST=other.example\nMQTT_PASSWORD=other\n")
        let plan = try Self.plan(.folder("\(folder.path)/b"), in: folder) { _ in }
        let notes = try plan.write()
        #expect(notes.count == 2 && notes[0].hasPrefix("\(folder.path)/.env:1: MQTT_HOST overrides uplink.host of"))
        #expect(notes.last?.hasPrefix("\(folder.path)/.env:2: MQTT_PASSWORD overrides auth.password_file of") == true)
        #expect(notes.allSatisfy { plan.report(notes).contains($0) && !$0.contains("other") })
    }

    private typealias Change = @Sendable (inout SetupRequest) -> Void

    private static let unusable: [(option: String, change: Change)] = [
        ("--listen", { $0.listen = "foo" }), ("--host", { $0.host = "a b" }),
        ("--password-file", { ($0.deviceID, $0.passwordFile) = ("d", "/nowhere/password") }),
        ("--ca", { $0.ca = "/etc/hostname" }),
    ]

    @Test(arguments: unusable.indices)
    func aConfigurationThatCannotBeUsedIsNotLeftBehind(_ index: Int) throws {
        let (option, change) = Self.unusable[index]
        let folder = try SetupFolder()
        let zip = try folder.write("b.zip", SetupFolder.zippedBundle())
        let plan = try Self.plan(.zip(zip), in: folder, change)
        let problem = Self.problem(plan)
        #expect(problem?.contains("nothing is written") == true && problem?.contains("\n  \(option): ") == true)
        #expect(folder.names == ["b.zip", "ca.pem"], "\(problem ?? "nothing")")
    }
}
