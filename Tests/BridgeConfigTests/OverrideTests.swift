import BridgeCore
import Testing

@testable import BridgeConfig

struct OverrideTests {
    @Test func everyScalarHasAVariable() throws {
        #expect(Key.uplinkHost.variable == "BRIDGE_UPLINK_HOST")
        #expect(Key.limitsDevicesPerAddress.variable == "BRIDGE_LIMITS_DEVICES_PER_ADDRESS")
        #expect(Key.uplinkTLSKeyLog.variable == "BRIDGE_UPLINK_TLS_KEY_LOG")
        #expect(Key.listen.variable == "BRIDGE_LISTEN")
        // No two keys have the same variable.
        #expect(Key.byVariable.count == Key.allCases.count)
    }

    /// BRIDGE_ in the environment > BRIDGE_ in .env > MQTT_ in the environment > MQTT_ in .env > file > default.
    @Test func precedence() throws {
        var environment: [String: String] = [:]
        var dotEnv = ""
        func port(_ file: String = "uplink: {host: a, ca: ca.pem, port: 2}") throws -> Int {
            try load(file, dotEnv: dotEnv, environment: environment).configuration.uplink.port
        }
        #expect(try port(minimal) == 14_567)
        #expect(try port() == 2)
        dotEnv += "MQTT_PORT=3\n"
        #expect(try port() == 3)
        environment["MQTT_PORT"] = "4"
        #expect(try port() == 4)
        dotEnv += "BRIDGE_UPLINK_PORT=5\n"
        #expect(try port() == 5)
        environment["BRIDGE_UPLINK_PORT"] = "6"
        #expect(try port() == 6)
        environment["BRIDGE_UPLINK_PORT"] = ""
        #expect(try port() == 5, "an empty variable counts as not set")
    }

    @Test func lists() throws {
        let environment = ["BRIDGE_LISTEN": "0.0.0.0:1, [::1]:2", "BRIDGE_UPLINK_ALPN": "mqtt,mqtt-mux"]
        let configuration = try load("listen: [127.0.0.1:9]\n" + minimal, environment: environment).configuration
        #expect(configuration.listen.map(\.name) == ["0.0.0.0:1", "[::1]:2"])
        #expect(configuration.uplink.alpn == ["mqtt", "mqtt-mux"])
    }

    @Test func everythingFromTheEnvironment() throws {
        let folder = try TemporaryFolder()
        let environment = [
            "BRIDGE_UPLINK_HOST": "broker", "BRIDGE_UPLINK_CA": folder.path + "/ca.pem", "BRIDGE_LIMITS_DEVICES": "7",
            "BRIDGE_LOG_FORMAT": "json", "BRIDGE_THREADS": "auto", "PATH": "/bin",
        ]
        let loaded = try ConfigurationLoader.load(.run, file: nil, envFile: nil, environment: environment, cores: 3)
        #expect(loaded.configuration.uplink.host == "broker")
        #expect(loaded.configuration.limits.devices == 7)
        #expect(loaded.configuration.limits.devicesPerAddress == 7)
        #expect(loaded.configuration.log.format == .json)
        #expect(loaded.configuration.threads == 3)
        #expect(loaded.origins["uplink.host"]?.description == "environment: BRIDGE_UPLINK_HOST")
        #expect(loaded.origins["uplink.port"] == nil)
        #expect(loaded.warnings.isEmpty)
    }

    @Test func errorsNameTheVariableAndItsLine() throws {
        let lines = try errors(
            minimal, dotEnv: "\nBRIDGE_UPLINK_PORT=0\nBRIDGE_UPLINK_PROT=1\nBRIDGE_ROUTES=x\nBRIDGE_FOO_BAR=1\n",
            environment: ["BRIDGE_LOG_LEVEL": "loud"])
        #expect(
            lines == [
                ".env:2: BRIDGE_UPLINK_PORT: uplink.port: 0 is out of range; a UDP port is a whole number from 1 to 65535",
                ".env:3: BRIDGE_UPLINK_PROT: does not name a key; did you mean BRIDGE_UPLINK_PORT?",
                ".env:4: BRIDGE_ROUTES: routes: can only be given in the configuration file",
                ".env:5: BRIDGE_FOO_BAR: does not name a key; names are BRIDGE_ and a key's path, such as BRIDGE_UPLINK_HOST",
                "environment: BRIDGE_LOG_LEVEL: log.level: \"loud\" is not a value of this key; one of: trace, debug, info, "
                    + "notice, warning, error, critical",
            ])
    }

    @Test func unknownNamesOfTheEnvironmentAreWarnings() throws {
        let loaded = try load(minimal, environment: ["BRIDGE_UPLINK_HOTS": "x", "BRIDGE_LISTEN_": ""])
        #expect(
            loaded.warnings == [
                "environment: BRIDGE_UPLINK_HOTS: does not name a key, and is ignored; did you mean BRIDGE_UPLINK_HOST?"
            ])
    }

    @Test func repetitionInDotEnv() throws {
        #expect(
            try errors(minimal, dotEnv: "BRIDGE_THREADS=1\nX=1\nX=2\nBRIDGE_THREADS=2") == [
                ".env:4: BRIDGE_THREADS: is given twice; the first is in line 1"
            ])
    }

    @Test func relativePathsStartWhereTheyAreWritten() throws {
        let folder = try TemporaryFolder()
        try folder.write("etc/ca.pem", TemporaryFolder.certificate)
        try folder.write("other/ca.pem", TemporaryFolder.certificate)
        let file = try folder.write("etc/bridge.yaml", minimal)
        let env = try folder.write("other/env", "BRIDGE_UPLINK_CA=./ca.pem\n")
        let ofFile = try ConfigurationLoader.load(.run, file: file, environment: [:])
        #expect(ofFile.configuration.uplink.caFile == folder.path + "/etc/ca.pem")
        let ofDotEnv = try ConfigurationLoader.load(.run, file: file, envFile: env, environment: [:])
        #expect(ofDotEnv.configuration.uplink.caFile == folder.path + "/other/ca.pem")
    }

    @Test func aPasswordOfTheEnvironmentReplacesAFileOfTheFile() throws {
        let text = minimal + "auth: {mode: inject, password_file: nowhere}"
        let loaded = try load(text, environment: ["BRIDGE_AUTH_PASSWORD": "p"])
        #expect(loaded.configuration.auth.identity.password == Secret("p"))
    }

    /// A copied `.env` must not override a file silently.
    @Test func whatIsOverriddenIsNamed() throws {
        let text = "listen: [127.0.0.1:9]\nuplink: {host: a, ca: ca.pem, port: 5}\n"
        let loaded = try load(
            text, dotEnv: "MQTT_HOST=b\nBRIDGE_UPLINK_PORT=5\nBRIDGE_THREADS=2\n",
            environment: ["BRIDGE_LISTEN": "127.0.0.1:8", "BRIDGE_UPLINK_HOST": "c"])
        #expect(
            loaded.notes == [
                "environment: BRIDGE_LISTEN: overrides listen of bridge.yaml:1:9",
                "environment: BRIDGE_UPLINK_HOST: overrides uplink.host of bridge.yaml:2:16",
            ])
        #expect(try load(text).notes.isEmpty)
        #expect(
            try load(text, dotEnv: "MQTT_HOST=b").notes == [
                ".env:1: MQTT_HOST: overrides uplink.host of bridge.yaml:2:16"
            ])
    }

    @Test func whatIsOverriddenOfServeIsNamed() throws {
        let loaded = try loadServe(minimalServe, environment: ["BRIDGE_SERVE_BROKER_HOST": "other"])
        #expect(
            loaded.notes == ["environment: BRIDGE_SERVE_BROKER_HOST: overrides serve.broker_host of bridge.yaml:1:60"])
    }
}
