import BridgeCore
import Testing

@testable import BridgeConfig

@Suite("TESAIoT bundle")
struct BundleReaderTests {
    private func read(_ files: [BundleFile: String], others: Set<String> = []) throws -> DeviceBundle {
        try BundleReader.read(Bundles.contents(files, others: others))
    }

    private func errors(_ files: [BundleFile: String]) -> [String] {
        do {
            _ = try read(files)
            return []
        } catch let errors as ConfigurationErrors {
            return errors.all.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("A whole bundle is read, and nothing is wrong with it")
    func whole() throws {
        let endpoints = #"{"mqtt_quic": {"host": "mqtt.tesaiot.com", "port": "14567"}, "mqtts": {"port": 8884}}"#
        let bundle = try read([
            .configuration: Bundles.configuration(), .endpoints: endpoints, .authorities: Bundles.authorities,
        ])
        #expect(bundle.host?.value == "mqtt.tesaiot.com")
        #expect(bundle.host?.origin.description == "sensor-1/mqtt-quic-config.json:3:11")
        #expect(bundle.port?.value == 14567)
        #expect(bundle.fallback?.value == BundleFallback(host: nil, port: 8884, needsCertificate: false))
        #expect(bundle.ca?.value == "ca-chain.pem")
        #expect(bundle.identity?.username == "sensor-1")
        #expect(bundle.identity?.password.value == "p#a%s$s!")
        #expect(bundle.files == [.configuration, .endpoints, .authorities])
        #expect(bundle.findings == [])
    }

    @Test("A bundle that is only a .env is read")
    func dotEnv() throws {
        let text = """
            MQTT_HOST=mqtt.tesaiot.com
            MQTT_PORT=14567
            MQTT_TRANSPORT=quic
            MQTT_USERNAME=sensor-1
            MQTT_PASSWORD=a#b%c$d!
            MQTT_CA_CERT=./certs/ca-chain.pem
            MQTT_KEEPALIVE=30
            MQTT_CLEAN_SESSION=false
            MQTT_TOPIC_TELEMETRY=device/x/telemetry
            """
        let bundle = try read([.dotEnv: text, .authorities: Bundles.authorities])
        #expect(bundle.identity?.password.value == "a#b%c$d!")
        #expect(bundle.port?.value == 14567)
        #expect(bundle.findings == [])
    }

    @Test("A placeholder is named as one, and gives way to a password")
    func placeholder() throws {
        let text = Bundles.configuration(password: "<your device password>")
        let bundle = try read([.configuration: text, .authorities: Bundles.authorities])
        #expect(bundle.identity == nil)
        #expect(bundle.password?.value == .placeholder)
        #expect(bundle.findings.map(\.kind) == [.placeholder])
        let finding = try #require(bundle.findings.first?.description)
        #expect(finding.contains("still the placeholder in angle brackets") && !finding.contains("your device"))
        let mended = try read([
            .configuration: text, .dotEnv: "MQTT_PASSWORD=real", .authorities: Bundles.authorities,
        ])
        #expect(mended.identity?.password.value == "real")
        #expect(mended.findings == [])
    }

    @Test("Placeholders for host and user name are values that are missing")
    func otherPlaceholders() throws {
        let text = Bundles.configuration(host: "mqtt.tesaiot.com", username: "<device id>")
        let bundle = try read([.configuration: text, .authorities: Bundles.authorities])
        #expect(bundle.username == nil)
        #expect(bundle.findings.map(\.kind) == [.placeholder])
    }

    @Test("What is missing is found")
    func missing() throws {
        let bundle = try read([.configuration: "{}"])
        #expect(bundle.findings.map(\.kind) == Array(repeating: .missing, count: 5))
        #expect(Set(bundle.findings.map(\.origin.description)) == ["sensor-1"])
    }

    @Test("The number of findings is bounded")
    func manyFindings() throws {
        let lines = (0..<5_000).map { "MQTT_HOST=h\($0).example" }.joined(separator: "\n")
        let bundle = try read([
            .configuration: Bundles.configuration(), .authorities: Bundles.authorities, .dotEnv: lines,
        ])
        #expect(bundle.findings.count == 100)
    }

    @Test("Places that contradict each other are named, without secrets")
    func contradictions() throws {
        let bundle = try read([
            .configuration: Bundles.configuration(), .authorities: Bundles.authorities,
            .dotEnv: "MQTT_HOST=other.example\nMQTT_USERNAME=sensor-2\nMQTT_PASSWORD=hunter2",
            .endpoints: #"{"mqtt_quic": {"host": "mqtt.tesaiot.com", "port": 14568}}"#,
        ])
        #expect(bundle.findings.map(\.kind) == Array(repeating: .contradiction, count: 4))
        #expect(bundle.identity?.username == "sensor-1")
        let text = bundle.findings.map(\.description).joined(separator: "\n")
        #expect(text.contains("sensor-1/.env:1: MQTT_HOST: the host is not the same as in sensor-1/mqtt-quic-config"))
        #expect(text.contains("other.example here, mqtt.tesaiot.com there"))
        #expect(!text.contains("hunter2"))
        #expect(!text.contains("p#a%s$s!"))
    }

    @Test("The user name counts before the client id, wherever it stands")
    func userNameBeforeClientID() throws {
        let text = "MQTT_CLIENT_ID=pump\nMQTT_PASSWORD=p\nMQTT_USERNAME=sensor-1"
        let bundle = try read([.dotEnv: text, .authorities: Bundles.authorities])
        #expect(bundle.identity?.username == "sensor-1" && bundle.identity?.password.value == "p")
        #expect(bundle.findings.contains { $0.kind == .contradiction && $0.description.contains("pump here") })
    }

    @Test("A password that stands beside the name of another device is not used")
    func passwordOfAnotherDevice() throws {
        let template = Bundles.configuration(password: "<password>")
        for text in ["MQTT_USERNAME=sensor-2\nMQTT_PASSWORD=hunter2", "MQTT_PASSWORD=hunter2\nMQTT_USERNAME=sensor-2"] {
            let error = #expect(throws: ConfigurationErrors.self) {
                try read([.configuration: template, .dotEnv: text, .authorities: Bundles.authorities])
            }
            let message = error.map { "\($0)" } ?? ""
            #expect(
                message.contains(
                    #"the password here is that of the device "sensor-2", and the bundle is for "sensor-1""#))
            #expect(!message.contains("hunter2"))
        }
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var files: [BundleFile: String]
        var message: String
        var testDescription: String { message }
    }

    static let mistakes: [Wrong] = [
        Wrong(
            files: [.configuration: #"{"host": "me:hunter2@broker"}"#],
            message: "sensor-1/mqtt-quic-config.json:1:10: host: is not a host name; leave out what stands before the @"
        ),
        Wrong(files: [:], message: "sensor-1: is not a TESAIoT bundle: it has none of the files mqtt-quic-config.json"),
        Wrong(files: [.authorities: Bundles.authorities], message: "sensor-1: is not a TESAIoT bundle"),
        Wrong(
            files: [.configuration: "{\"host\": \"h\""],
            message: "sensor-1/mqtt-quic-config.json:1:13: is not JSON: it ends before its closing }"),
        Wrong(
            files: [.configuration: "{\"port\": 70000}"],
            message: "sensor-1/mqtt-quic-config.json:1:10: port: \"70000\" is not a port, 1 to 65535"),
        Wrong(
            files: [.configuration: "{\"port\": 1.5}"],
            message: "sensor-1/mqtt-quic-config.json:1:10: port: \"1.5\" is not a port"),
        Wrong(
            files: [.configuration: "{\"auth\": {\"password\": [1]}}"],
            message: "mqtt-quic-config.json:1:23: auth.password: expected a text or a number, found a list"),
        Wrong(
            files: [.configuration: "{\"auth\": {\"password\": \"a\\nb\"}}"],
            message: "mqtt-quic-config.json:1:23: password: the password contains a line break"),
        Wrong(
            files: [.configuration: "{\"transport\": \"tcp\"}"],
            message: "mqtt-quic-config.json:1:15: transport: \"tcp\" is not quic"),
        Wrong(
            files: [.configuration: "{\"tls\": {\"ca_file\": \"../ca.pem\"}}"],
            message: "tls.ca_file: \"../ca.pem\" is not in the folder of the bundle"),
        Wrong(
            files: [.configuration: "{\"endpoint\": \"mqtts//h\"}"],
            message: "mqtt-quic-config.json:1:14: endpoint: is not a URL such as"),
        Wrong(files: [.dotEnv: "MQTT_PORT=x"], message: "sensor-1/.env:1: MQTT_PORT: port: \"x\" is not a port"),
        Wrong(files: [.dotEnv: "secret"], message: "sensor-1/.env:1: expected KEY=VALUE"),
        Wrong(
            files: [.configuration: "{}", .authorities: "hello"],
            message: "sensor-1/ca-chain.pem: holds no PEM certificate"),
        Wrong(
            files: [.configuration: "{}", .endpoints: "{\"quic\": {\"host\": \"a b\", \"port\": 1}}"],
            message: "endpoints.json:1:34: host: \"a b\" is not a host name"),
        Wrong(
            files: [.configuration: "{\"host\": \"\\u001b[31mx\\n\"}"],
            message: "host: \"\u{FFFD}[31mx\u{FFFD}\" is not a host name"),
        Wrong(
            files: [.configuration: String(repeating: " ", count: BundleFile.maximumSize + 1)],
            message: "sensor-1/mqtt-quic-config.json: is larger than 256KiB"),
    ]

    @Test("An error names file and place", arguments: mistakes)
    func mistake(_ wrong: Wrong) {
        let errors = errors(wrong.files)
        #expect(errors.contains { $0.contains(wrong.message) }, "\(errors)")
    }

    @Test("What a bundle asks for and does not get is remarked")
    func remarks() throws {
        let text = """
            {"tls": {"enabled": false, "version": "1.2", "verify_server": "false", "ca_file": "own.pem"},
             "auth": {"method": "certificate"}}
            """
        let bundle = try read([.configuration: text], others: ["own.pem"])
        #expect(bundle.findings.filter { $0.kind == .remark }.count == 4)
        #expect(bundle.ca?.value == "own.pem")
    }

    @Test("No message quotes a password that is damaged")
    func secrets() {
        let text = #"{"auth": {"password": "hunter2\q"}}"#
        let errors = errors([.configuration: text, .dotEnv: "MQTT_PASSWORD='hunter2"])
        #expect(errors.count == 2)
        #expect(!errors.joined().contains("hunter2"))
    }
}
