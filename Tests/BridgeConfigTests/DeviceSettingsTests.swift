import BridgeConfig
import Foundation
import Testing

struct DeviceSettingsTests {
    private static func dotEnv(_ text: String) throws -> DeviceSettings {
        try DeviceSettings.dotEnv(text, name: ".env", folder: "/w").settings
    }

    @Test func everyName() throws {
        let settings = try Self.dotEnv(
            """
            MQTT_HOST=b.example
            MQTT_PORT=14567
            MQTT_TRANSPORT=quic
            MQTT_TLS_ENABLED=true
            MQTT_TLS_VERSION=1.3
            MQTT_CA_CERT=ca/chain.pem
            MQTT_CLIENT_ID=c
            MQTT_USERNAME=u
            MQTT_PASSWORD=a#b%$!
            MQTT_KEEPALIVE=60
            MQTT_CLEAN_SESSION=True
            MQTT_CONNECT_TIMEOUT=10
            MQTT_TOPIC_TELEMETRY=x
            """)
        var expected = DeviceSettings(source: ".env")
        expected.host = "b.example"
        expected.port = 14567
        expected.caFile = "/w/ca/chain.pem"
        expected.clientID = "c"
        expected.username = "u"
        expected.password = "a#b%$!"
        expected.keepAlive = 60
        expected.cleanSession = true
        expected.connectTimeout = .seconds(10)
        #expect(settings == expected)
    }

    @Test(arguments: [
        ("MQTT_HOST=mqtt://h", "is a URL"), ("MQTT_PORT=0", "is not a number from 1 to 65535"),
        ("MQTT_PORT=x", "is not a number"), ("MQTT_KEEPALIVE=65536", "is not a number from 0 to 65535"),
        ("MQTT_CLEAN_SESSION=maybe", "is neither true nor false"), ("MQTT_CONNECT_TIMEOUT=0", "is not a duration"),
        ("MQTT_TRANSPORT=tcp", "is refused"), ("MQTT_TLS_ENABLED=false", "is refused"),
        ("MQTT_TLS_VERSION=1.2", "is refused"),
        ("MQTT_PASSWORD=<your password>", "placeholder"), ("MQTT_USERNAME=<device id>", "placeholder"),
        ("MQTT_HOST=a\nMQTT_HOST=b", "is given twice"), ("nonsense", "expected KEY=VALUE"),
    ])
    func errorsNameTheLine(text: String, words: String) {
        let error = #expect(throws: ConfigurationErrors.self) { try Self.dotEnv(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix(".env:") == true)
    }

    @Test func errorsDoNotShowAPassword() {
        let error = #expect(throws: ConfigurationErrors.self) { try Self.dotEnv("MQTT_PASSWORD=\"secret") }
        #expect(error?.description.contains("secret") == false)
    }

    @Test func theEnvironment() throws {
        let result = try DeviceSettings.environment([
            "MQTT_HOST": "h", "MQTT_PASSWORD": "", "MQTT_CA_CERT": "ca.pem", "BRIDGE_UPLINK_HOST": "other",
            "MQTT_SERVICE_HOST": "10.0.0.1",
        ])
        #expect(result.settings.source == "the environment" && result.settings.host == "h")
        #expect(result.settings.password == nil && result.settings.caFile == "ca.pem")
        #expect(result.warnings.count == 1 && result.warnings.first?.contains("Kubernetes") == true)
        let error = #expect(throws: ConfigurationErrors.self) { try DeviceSettings.environment(["MQTT_PORT": "99999"]) }
        #expect(error?.description == "environment: MQTT_PORT: is not a number from 1 to 65535")
    }

    @Test func files() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(".env", "MQTT_PASSWORD=secret\n", mode: 0o644)
        let open = try DeviceSettings.dotEnv(at: file, isOptional: true)
        #expect(open.settings.password == "secret" && open.warnings.first?.contains("chmod 600") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
        #expect(try DeviceSettings.dotEnv(at: file, isOptional: true).warnings.isEmpty)
        let missing = try DeviceSettings.dotEnv(at: "/nowhere/.env", isOptional: true)
        #expect(missing.settings == DeviceSettings(source: "/nowhere/.env"))
        let error = #expect(throws: ConfigurationErrors.self) {
            try DeviceSettings.dotEnv(at: "/nowhere/.env", isOptional: false)
        }
        #expect(error?.description == "/nowhere/.env: no such file")
    }

    @Test func firstLines() throws {
        let folder = try TemporaryFolder()
        for (text, value) in [("secret", "secret"), ("secret\n", "secret"), ("s p#%\r\n", "s p#%")] {
            let file = try folder.write("value", text)
            #expect(try FirstLine.read(file).text == value)
        }
        for (text, words) in [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "line break")] {
            let file = try folder.write("value", text)
            let error = #expect(throws: FirstLine.Problem.self) { try FirstLine.read(file) }
            #expect(error?.description.contains(words) == true)
        }
        let error = #expect(throws: FirstLine.Problem.self) { try FirstLine.read("/nowhere/x") }
        #expect(error?.description == "no such file")
    }
}
