import BridgeCore
import Testing

@testable import BridgeConfig

/// The `.env` of a TESAIoT device.
struct DeviceNamesTests {
    private static let dotEnv = """
        MQTT_HOST=mqtt.tesaiot.com
        MQTT_PORT=14567
        MQTT_TRANSPORT=quic
        MQTT_USERNAME=3f2a-device
        MQTT_PASSWORD=p#a%s$w!rd
        MQTT_TLS_ENABLED=true
        MQTT_TLS_VERSION=1.3
        MQTT_CA_CERT=./ca.pem
        MQTT_KEEPALIVE=60
        MQTT_CLEAN_SESSION=true
        MQTT_CONNECT_TIMEOUT=10
        MQTT_TOPIC_TELEMETRY=device/3f2a-device/telemetry
        MQTT_TOPIC_COMMAND=device/3f2a-device/commands/#
        MQTT_TOPIC_STATUS=device/3f2a-device/status
        """

    @Test func theWholeFileUnchanged() throws {
        let loaded = try load("limits: {devices: 1}", dotEnv: Self.dotEnv)
        let configuration = loaded.configuration
        #expect(configuration.uplink.host == "mqtt.tesaiot.com")
        #expect(configuration.uplink.port == 14_567)
        #expect(configuration.uplink.caFile.hasSuffix("/ca.pem"))
        #expect(configuration.uplink.connectTimeout == .seconds(10))
        #expect(configuration.auth.mode == .inject)
        #expect(configuration.auth.identity.clientID == "3f2a-device")
        #expect(configuration.auth.identity.username == "3f2a-device")
        #expect(configuration.auth.identity.password == Secret("p#a%s$w!rd"))
        #expect(
            loaded.warnings == [
                "note: MQTT_CLEAN_SESSION, MQTT_KEEPALIVE, MQTT_TOPIC_COMMAND, MQTT_TOPIC_STATUS, MQTT_TOPIC_TELEMETRY: "
                    + "ignored; each device chooses these itself"
            ])
    }

    @Test func withModeInjectTheClientIDIsTheFilesAffair() throws {
        let loaded = try load(minimal + "auth: {mode: inject}", dotEnv: "MQTT_USERNAME=u\nMQTT_PASSWORD=p")
        #expect(loaded.configuration.auth.identity.username == "u")
        #expect(loaded.configuration.auth.identity.clientID == nil)
        #expect(loaded.warnings.isEmpty)
    }

    @Test func withModePassthroughTheIdentityIsNotUsed() throws {
        let loaded = try load(minimal + "auth: {mode: passthrough}", dotEnv: "MQTT_USERNAME=u\nMQTT_PASSWORD=p")
        #expect(loaded.configuration.auth == AuthConfiguration())
        #expect(
            loaded.warnings == [
                ".env:1: MQTT_USERNAME: ignored, as auth.mode is set to passthrough",
                ".env:2: MQTT_PASSWORD: ignored, as auth.mode is set to passthrough",
            ])
    }

    @Test func aClientIDThatIsTheSameForManyDevicesIsWarnedOf() throws {
        let loaded = try load(minimal, dotEnv: "MQTT_CLIENT_ID=c\nMQTT_USERNAME=u")
        #expect(loaded.configuration.auth.identity.clientID == "c")
        #expect(loaded.warnings.count == 1)
        #expect(
            loaded.warnings.first?.hasPrefix(".env:1: MQTT_CLIENT_ID: auth.client_id: every device gets this one")
                == true)
    }

    @Test(arguments: [
        (
            "MQTT_TRANSPORT=tcp",
            "\"tcp\" is refused: towards the broker this program speaks MQTT over QUIC only; write quic"
        ),
        (
            "MQTT_TLS_ENABLED=false",
            "\"false\" is refused: this program never sends plain text to the broker; write true"
        ),
        ("MQTT_TLS_VERSION=1.2", "\"1.2\" is refused: QUIC has no TLS but 1.3; write 1.3"),
        ("MQTT_PORT=mqtt", "uplink.port: \"mqtt\" is not a number; a UDP port is a whole number from 1 to 65535"),
        (
            "MQTT_PASSWORD=<your password>",
            "auth.password: is still the placeholder in angle brackets; put the real password there"
        ),
        ("MQTT_HOST=<host>", "uplink.host: \"<host>\" is a placeholder; put the host name of your broker here"),
    ])
    func refused(_ line: String, _ message: String) throws {
        let name = line.prefix { $0 != "=" }
        #expect(try errors(minimal, dotEnv: line) == [".env:1: \(name): \(message)"])
        let value = String(line[line.index(after: name.endIndex)...])
        #expect(try errors(minimal, environment: [String(name): value]) == ["environment: \(name): \(message)"])
    }

    @Test(arguments: ["MQTT_TRANSPORT=QUIC", "MQTT_TLS_ENABLED=True", "MQTT_TLS_VERSION=TLSv1.3"])
    func accepted(_ line: String) throws {
        #expect(try errors(minimal, dotEnv: line).isEmpty)
    }

    @Test func unknownNames() throws {
        let loaded = try load(minimal, dotEnv: "MQTT_PASWORD=x\nMQTT_QOS=1", environment: ["MQTT_ANYTHING": "x"])
        #expect(
            loaded.warnings == [
                ".env:1: MQTT_PASWORD: is not understood, and is ignored; did you mean MQTT_PASSWORD?",
                ".env:2: MQTT_QOS: is not understood, and is ignored",
            ])
    }

    @Test func aPortOfTCPIsWarnedOf() throws {
        let loaded = try load(minimal, dotEnv: "MQTT_PORT=8883")
        #expect(
            loaded.warnings == [
                ".env:1: MQTT_PORT: uplink.port: 8883 is usually a TCP port; MQTT over QUIC is usually at UDP 14567"
            ])
    }

    @Test func aPasswordCutOffByACommentIsWarnedOf() throws {
        let loaded = try load(minimal + "auth: {mode: inject}", dotEnv: "MQTT_PASSWORD=abc #def")
        #expect(loaded.configuration.auth.identity.password == Secret("abc"))
        #expect(loaded.warnings.first?.contains("put the value in single quotes") == true)
    }

    private static let kubernetes = [
        "MQTT_PORT": "tcp://10.0.0.1:1883", "MQTT_SERVICE_HOST": "10.0.0.1", "MQTT_SERVICE_PORT": "1883",
        "MQTT_SERVICE_PORT_MQTT_TLS": "8883", "MQTT_PORT_1883_TCP": "tcp://10.0.0.1:1883",
        "MQTT_PORT_1883_TCP_PROTO": "tcp", "MQTT_PORT_1883_TCP_PORT": "1883", "MQTT_PORT_1883_TCP_ADDR": "10.0.0.1",
    ]

    /// Kubernetes sets these in every container if there is a service called `mqtt`; the image must work unchanged.
    @Test func theVariablesOfAServiceAreNoSettings() throws {
        let loaded = try load(minimal, environment: Self.kubernetes)
        #expect(loaded.configuration.uplink.port == 14_567)
        #expect(
            loaded.warnings == [
                "environment: MQTT_PORT, MQTT_PORT_1883_TCP, MQTT_PORT_1883_TCP_ADDR, MQTT_PORT_1883_TCP_PORT, "
                    + "MQTT_PORT_1883_TCP_PROTO, MQTT_SERVICE_HOST, MQTT_SERVICE_PORT, MQTT_SERVICE_PORT_MQTT_TLS: ignored; "
                    + "they look like what Kubernetes and docker --link set for a service called \"mqtt\" "
                    + "(in Kubernetes, enableServiceLinks: false keeps them away)"
            ])
    }

    /// Variables that are meant for this program count beside them.
    @Test func settingsBesideAServiceCount() throws {
        var environment = Self.kubernetes
        environment["MQTT_HOST"] = "other"
        let loaded = try load(minimal, dotEnv: "MQTT_PORT=4", environment: environment)
        #expect(loaded.configuration.uplink.port == 4)
        #expect(loaded.configuration.uplink.host == "other")
    }

    /// The names of services may look like keys.
    @Test func theVariablesOfOtherServices() throws {
        let environment = [
            "BRIDGE_UPLINK_PORT": "udp://10.0.0.1:14567", "BRIDGE_UPLINK_SERVICE_HOST": "10.0.0.1",
            "BRIDGE_PORT": "tcp://10.0.0.2:1883", "BRIDGE_NAME": "/web/bridge", "BRIDGE_ENV_PATH": "/bin",
        ]
        let loaded = try load(minimal, environment: environment)
        #expect(loaded.configuration.uplink.port == 14_567)
        #expect(loaded.warnings.count == 2)
        #expect(
            loaded.warnings.first?.hasPrefix("environment: BRIDGE_ENV_PATH, BRIDGE_NAME, BRIDGE_PORT: ignored") == true)
        #expect(loaded.warnings.last?.contains("a service called \"bridge-uplink\"") == true)
    }

    /// A single such variable is recognized in every spelling.
    @Test(arguments: ["tcp://10.0.0.1:1883", "TCP://10.0.0.1:1883", "Udp://[fd00::1]:1883"])
    func theVariableOfAServiceIsNoSetting(value: String) throws {
        let loaded = try load(minimal, environment: ["MQTT_PORT": value])
        #expect(loaded.configuration.uplink.port == 14_567)
        #expect(
            loaded.warnings == [
                "environment: MQTT_PORT: ignored; it looks like what Kubernetes and docker --link set for a service "
                    + "called \"mqtt\" (in Kubernetes, enableServiceLinks: false keeps it away)"
            ])
    }

    /// A `.env` that was saved from a container's environment contains them.
    @Test func theVariablesOfAServiceInAFile() throws {
        let one = try load(minimal, dotEnv: "MQTT_HOST=other\nMQTT_PORT=tcp://10.0.0.1:1883\n")
        #expect(one.configuration.uplink.port == 14_567)
        #expect(one.configuration.uplink.host == "other")
        #expect(
            one.warnings == [
                ".env:2: MQTT_PORT: ignored; it looks like what Kubernetes and docker --link set for a service "
                    + "called \"mqtt\" (the line can be deleted)"
            ])
        let lines = Self.kubernetes.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        let all = try load(minimal, dotEnv: lines.joined(separator: "\n"))
        #expect(all.configuration.uplink.port == 14_567)
        #expect(all.warnings.count == 1)
        #expect(all.warnings.first?.hasPrefix(".env:1: MQTT_PORT: and MQTT_PORT_1883_TCP, ") == true)
        #expect(all.warnings.first?.hasSuffix("called \"mqtt\" (the lines can be deleted)") == true)
    }

    /// An invalid port is still an error.
    @Test func aWrongPortIsStillOne() throws {
        for value in ["tcp", "tcp:1883", "http://10.0.0.1:1883"] {
            #expect(try errors(minimal, environment: ["MQTT_PORT": value]).count == 1)
            #expect(try errors(minimal, dotEnv: "MQTT_PORT=\(value)").count == 1)
        }
    }
}
