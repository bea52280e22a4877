import ArgumentParser
import BridgeConfig
import BridgeCore
import MQTTQUICClient
import Testing

@testable import mqtt_quic_bridge

struct ConnectionPlanTests {
    private static func plan(
        _ arguments: [String] = [], environment: [String: String] = [:], dotEnv: String = "", bridge: BridgeFile? = nil,
        usernameInFile: String? = nil, passwordInFile: String? = nil
    ) throws -> ConnectionPlan {
        let command = try BridgeCommand.parseAsRoot(ToolArguments.folded(["pub", "-t", "a", "-n"] + arguments))
        let pub = try #require(command as? PubCommand)
        let devices = [
            try DeviceSettings.environment(environment).settings,
            try DeviceSettings.dotEnv(dotEnv, name: ".env", folder: "/w").settings,
        ]
        let sources = ConnectionSources(
            bridge: bridge, devices: devices, usernameInFile: usernameInFile, passwordInFile: passwordInFile)
        return try ConnectionPlan(pub.broker, pub.trust, pub.will, sources) { $0.map { "\($0)42" } ?? "random" }
    }

    private static let device =
        "MQTT_HOST=b.example\nMQTT_PORT=1\nMQTT_USERNAME=dev\nMQTT_PASSWORD='p#1'\nMQTT_CA_CERT=ca.pem\n"

    @Test func theDefaultsAreThoseOfMosquittoOverQUIC() throws {
        let configuration = try Self.plan().configuration
        #expect(configuration.host == "localhost" && configuration.port == 14567 && configuration.fallback == nil)
        #expect(configuration.version == .v3_1_1 && configuration.clientID == "random" && configuration.cleanStart)
        #expect(configuration.keepAlive == .seconds(60) && configuration.credentials == nil)
        #expect(configuration.tls == .init() && configuration.alpn == "mqtt" && configuration.reconnect == nil)
        #expect(configuration.receiveMaximum == 20 && configuration.will == nil)
        #expect(try Self.plan(["-V", "5"]).configuration.clientID.isEmpty)
    }

    /// The first that has a value wins: options, -L, --config, the environment, .env.
    @Test func precedence() throws {
        var uplink = UplinkConfiguration(
            host: "bridge.example", port: 5, serverName: "s", caFile: "bridge.pem", clientCertificateFile: "c",
            clientKeyFile: "k")
        uplink.fallback = UplinkFallback(host: "f", port: 8_884)
        let bridge = BridgeFile(uplink)
        let environment = ["MQTT_HOST": "env.example", "MQTT_PORT": "4"]
        let url = ["-L", "mqtt-quic://url.example:3/t"]
        #expect(try Self.plan(["-h", "o", "-p", "2"] + url, environment: environment).configuration.port == 2)
        let all = try Self.plan(url, environment: environment, dotEnv: Self.device, bridge: bridge).configuration
        #expect(all.host == "url.example" && all.port == 3 && all.tls == .init() && all.fallback == nil)
        let file = try Self.plan(environment: environment, dotEnv: Self.device, bridge: bridge).configuration
        #expect(file.host == "bridge.example" && file.port == 5 && file.tls.trust == .file("bridge.pem"))
        #expect(file.tls.serverName == "s" && file.tls.clientCertificate == .init(chainFile: "c", keyFile: "k"))
        #expect(file.fallback == .init(host: "f", port: 8_884) && file.credentials == nil)
        let process = try Self.plan(environment: environment, dotEnv: Self.device).configuration
        #expect(process.host == "env.example" && process.port == 4 && process.credentials == nil)
        let dotEnv = try Self.plan(environment: ["MQTT_PORT": "9"], dotEnv: Self.device).configuration
        #expect(dotEnv.host == "b.example" && dotEnv.port == 9 && dotEnv.tls.trust == .file("/w/ca.pem"))
        #expect(dotEnv.credentials == .init(username: "dev", password: "p#1") && dotEnv.clientID == "dev")
    }

    /// A password must not go to a server that it is not for.
    @Test func whatIsForAnotherHostIsNotUsed() throws {
        let plan = try Self.plan(["-h", "other.example"], dotEnv: Self.device)
        #expect(plan.configuration.credentials == nil && plan.configuration.tls.trust == .system)
        #expect(plan.configuration.port == 14567 && plan.configuration.clientID == "random")
        #expect(plan.notes == [".env is for another host, b.example, so its MQTT_ names are not used"])
        #expect(try Self.plan(["-h", "B.example"], dotEnv: Self.device).configuration.credentials?.username == "dev")
        let noHost = try Self.plan(["-h", "other"], environment: ["MQTT_USERNAME": "u", "MQTT_PASSWORD": "p"])
        #expect(noHost.configuration.credentials == .init(username: "u", password: "p") && noHost.notes.isEmpty)
    }

    /// Only the topic of a URL for another host is used.
    @Test func theCredentialsOfAURLGoToItsHostOnly() throws {
        let url = ["-L", "mqtt-quic://u:secret@a.example:7/t"]
        let other = try Self.plan(["-h", "other"] + url)
        #expect(other.configuration.host == "other" && other.configuration.port == 14567)
        #expect(other.configuration.credentials == nil)
        #expect(other.notes == ["-L is for another host, a.example, so only its topic is used"])
        let same = try Self.plan(["-h", "A.example"] + url)
        #expect(same.configuration.credentials == .init(username: "u", password: "secret") && same.notes.isEmpty)
        #expect(same.configuration.port == 7)
    }

    @Test func aBridgeFileForAnotherHostIsNamed() throws {
        let bridge = BridgeFile(UplinkConfiguration(host: "bridge.example", port: 5, caFile: "bridge.pem"))
        let other = try Self.plan(["-h", "other"], bridge: bridge)
        #expect(other.configuration.port == 14567 && other.configuration.tls.trust == .system)
        #expect(other.notes == ["--config is for another host, bridge.example, so nothing of it is used"])
        #expect(try Self.plan(["-h", "Bridge.example"], bridge: bridge).notes.isEmpty)
    }

    /// A password belongs to the user name beside which it is written.
    @Test(arguments: [
        (["-u", "x"], nil as String?), (["-u", "dev"], "p#1"), (["-P", "q"], "q"), (["-u", "x", "-P", "y"], "y"),
        (["-L", "mqtt-quic://u:v@b.example/t"], "v"), (["-L", "mqtt-quic://u@b.example/t"], nil), ([], "p#1"),
        (["-L", "mqtt-quic://u:v@b.example/t", "-u", "w"], nil),
    ])
    func passwords(arguments: [String], password: String?) throws {
        let credentials = try #require(try Self.plan(arguments, dotEnv: Self.device).configuration.credentials)
        #expect(credentials.password.map { String(decoding: $0, as: UTF8.self) } == password)
    }

    @Test func credentialsFromFilesAndTheEnvironment() throws {
        let files = try Self.plan(usernameInFile: "f", passwordInFile: "g").configuration
        #expect(files.credentials == .init(username: "f", password: "g"))
        // The user name of a file is no device's, so it is not the client id.
        #expect(files.clientID == "random")
        let mixed = try Self.plan(["-u", "me"], environment: ["MQTT_PASSWORD": "secret"]).configuration
        #expect(mixed.credentials == .init(username: "me", password: "secret"))
        let anonymous = try Self.plan(["-P", "x", "-V", "5"]).configuration
        #expect(anonymous.credentials == .init(username: nil, password: Array("x".utf8)))
    }

    @Test func sessionsAndIdentifiers() throws {
        #expect(try Self.plan(["-I", "pre-"]).configuration.clientID == "pre-42")
        let kept = try Self.plan(["-c", "-i", "me", "-V", "5"]).configuration
        #expect(!kept.cleanStart && kept.sessionExpiry == .seconds(Int64(UInt32.max)) && kept.clientID == "me")
        #expect(try Self.plan(["-c", "-x", "60", "-V", "5"]).configuration.sessionExpiry == .seconds(60))
        #expect(try !Self.plan(["-c", "-i", "me"]).configuration.cleanStart)
        let property = ["-D", "connect", "session-expiry-interval", "7"]
        #expect(try Self.plan(property).configuration.sessionExpiry == .seconds(7))
        #expect(try Self.plan(property).configuration.version == .v5_0)
        #expect(
            try !Self.plan(environment: ["MQTT_CLEAN_SESSION": "false", "MQTT_CLIENT_ID": "d"]).configuration.cleanStart
        )
        let times = try Self.plan(environment: ["MQTT_KEEPALIVE": "30", "MQTT_CONNECT_TIMEOUT": "7"]).configuration
        #expect(times.keepAlive == .seconds(30) && times.connectTimeout == .seconds(7))
        #expect(
            try Self.plan(["-k", "5"], environment: ["MQTT_KEEPALIVE": "30"]).configuration.keepAlive == .seconds(5))
    }

    @Test func will() throws {
        let will = try Self.plan([
            "--will-topic", "w", "--will-payload", "gone", "--will-qos", "1", "--will-retain", "-D", "will",
            "will-delay-interval", "3", "-D", "will", "content-type", "text/plain",
        ]).configuration.will
        var properties = MQTTMessageProperties()
        properties.contentType = "text/plain"
        let message = MQTTMessage(topic: "w", text: "gone", qos: .atLeastOnce, isRetained: true, properties: properties)
        #expect(will == MQTTWill(message, delay: .seconds(3)))
        #expect(try Self.plan(["--will-topic", "w"]).configuration.will == MQTTWill(MQTTMessage(topic: "w")))
    }

    @Test func limits() throws {
        let configuration = try Self.plan([
            "-D", "connect", "receive-maximum", "3", "-D", "connect", "maximum-packet-size", "1000", "-D", "connect",
            "user-property", "a", "b", "--fallback-port", "8884", "--server-name", "n", "--tls-alpn", "mqtt-mux",
        ]).configuration
        #expect(configuration.receiveMaximum == 3 && configuration.maximumPacketSize == 1_000)
        #expect(configuration.userProperties == [MQTTUserProperty("a", "b")] && configuration.fallback?.port == 8_884)
        #expect(configuration.tls.serverName == "n" && configuration.alpn == "mqtt-mux")
        var plan = try Self.plan()
        plan.limitReceiveMaximum(to: 5)
        plan.reconnects()
        #expect(plan.configuration.receiveMaximum == 5 && plan.configuration.reconnect != nil)
        plan.limitReceiveMaximum(to: 100_000)
        #expect(plan.configuration.receiveMaximum == 5)
    }

    @Test(arguments: [
        (["-h", "a b"], "-h: \"a b\" is not a host name"), (["-h", "mqtt://h"], "is a URL"),
        (["-p", "0"], "-p: 0 is not a port"),
        (["-p", "65536"], "is not a port"), (["--fallback-port", "0"], "--fallback-port"), (["-k", "4"], "-k: 4"),
        (["-k", "65536"], "-k: 65536"), (["-M", "0"], "-M: 0"), (["-M", "1025"], "-M: 1025"),
        (["-i", "a", "-I", "b"], "exclude each other"), (["-c"], "give one with -i"),
        (["-c", "-I", "x"], "give one with -i"),
        (["-x", "-1", "-V", "5"], "give one with -i"), (["-x", "5"], "write -V 5"), (["-P", "x"], "give one with -u"),
        (["-V", "311", "-D", "publish", "content-type", "x"], "-D: MQTT 3.1.1 has no properties"),
        (["-V", "5", "-x", "1", "-D", "connect", "session-expiry-interval", "2"], "keep one"),
        (["--cert", "x"], "go together"), (["--key", "x"], "go together"),
        (["--tls-version", "tlsv1.2"], "no TLS but 1.3"),
        (["--cafile", "x", "--tls-use-os-certs"], "exclude each other"), (["--tls-alpn", ""], "1 to 255 bytes"),
        (["--will-payload", "x"], "--will-topic"), (["--will-retain"], "--will-topic"),
        (["--will-qos", "1"], "--will-topic"),
        (["-D", "will", "content-type", "x"], "there is no will"), (["--will-topic", "a/#"], "without + and #"),
        (["--will-topic", "a", "--will-payload", String(repeating: "x", count: 65_536)], "longer than 65535"),
        (["-i", String(repeating: "x", count: 65_536)], "the client id is longer"),
    ])
    func errorsSayWhatWouldBeRight(arguments: [String], words: String) {
        let error = #expect(throws: UsageError.self) { try Self.plan(arguments) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func aValueAndItsFileExcludeEachOther() {
        #expect(throws: UsageError("-u and --username-file exclude each other")) {
            try Self.plan(["-u", "a"], usernameInFile: "b")
        }
        #expect(throws: UsageError("-P and --pw-file exclude each other")) {
            try Self.plan(["-u", "a", "-P", "a"], passwordInFile: "b")
        }
    }
}
