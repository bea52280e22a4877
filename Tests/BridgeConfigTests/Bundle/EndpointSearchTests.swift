import Testing

@testable import BridgeConfig

@Suite("Endpoints of a bundle")
struct EndpointSearchTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var testDescription: String { name }
    }

    /// Each has MQTT over QUIC at h:14567, and over TLS at h:8884, without and with client certificates.
    static let shapes: [Shape] = [
        Shape(
            name: "object of endpoints",
            text: """
                {"mqtt_quic": {"host": "h", "port": 14567}, "mqtts": {"host": "h", "port": 8884},
                 "mqtt_mtls": {"host": "h", "port": 8883}, "api": {"host": "api.h", "port": 443}}
                """),
        Shape(
            name: "list of endpoints",
            text: """
                [{"name": "MQTT over QUIC", "host": "h", "port": 14567, "transport": "quic", "protocol": "mqtts"},
                 {"name": "MQTT server TLS", "host": "h", "port": "8884", "protocol": "mqtts"},
                 {"name": "MQTT mutual TLS", "host": "h", "port": 8883, "protocol": "mqtts"},
                 {"name": "API", "protocol": "https", "host": "h", "port": 443}]
                """),
        Shape(
            name: "nested, with URLs",
            text: """
                {"success": true, "data": {"endpoints": {"mqtt": {
                  "quic": "mqtts://h:14567", "server_tls": "mqtts://h:8884", "mtls": "mqtts://h:8883"},
                  "http": "https://h:443/api"}}}
                """),
        Shape(
            name: "one host, several ports",
            text: """
                {"mqtt": {"host": "h", "ports": {"quic": 14567, "mqtts": 8884, "mtls": "8883", "websocket": 9443}}}
                """),
        Shape(
            name: "ports by their names",
            text: #"{"broker": "h", "quic_port": "14567", "tls_port": 8884, "mtls_port": 8883, "timeout": 10}"#),
        Shape(
            name: "URLs in a list",
            text: """
                {"endpoints": [{"type": "mqtt-quic", "url": "mqtts://h:14567"}, {"type": "mqtts", "url": "mqtts://h:8884"},
                 {"type": "mqtts-mutual", "url": "mqtts://h:8883"}, {"type": "wss", "url": "wss://h:8084/mqtt"}]}
                """),
        Shape(
            name: "only the ports tell",
            text: """
                {"endpoints": [{"host": "h", "port": 14567}, {"host": "h", "port": 8884}, {"host": "h", "port": 8883},
                 {"host": "h", "port": 1883}]}
                """),
        Shape(
            name: "host and port in one text",
            text: #"{"mqtt_quic": "h:14567", "mqtt_tls": "h:8884", "mqtt_mtls": "h:8883", "note": "see 10:30"}"#),
        Shape(
            name: "fallback inside",
            text: """
                {"mqttQuic": {"host": "h", "port": 14567, "fallback": {"port": 8884}},
                 "mqttMutual": {"hostname": "h", "port": 8883}}
                """),
        Shape(
            name: "URL schemes only",
            text: #"{"a": "quic://h:14567", "b": "mqtts://h:8884", "c": "mqtts://h:8883", "d": "ssh://h:22"}"#),
    ]

    @Test("Every shape is understood", arguments: shapes)
    func shape(_ shape: Shape) throws {
        let root = try JSONText(Array(shape.text.utf8), name: "endpoints.json").parse()
        let found = EndpointSearch(root).found.map { "\($0.use) \($0.host ?? "-"):\($0.port ?? "-")" }
        #expect(Set(found) == ["quic h:14567", "tls h:8884", "mutualTLS h:8883"], "\(found)")
    }

    @Test(
        "What is no endpoint is left out",
        arguments: [
            "null", "1", "[]", "{}", #""text""#, #"{"host": "h"}"#, #"{"quic": true}"#,
            #"{"mqtt": {"host": "h", "port": 1883}}"#,
            #"{"mqtt_quic": {"keepalive": 60, "retries": 200}}"#,
        ])
    func none(_ text: String) throws {
        let root = try JSONText(Array(text.utf8), name: "endpoints.json").parse()
        #expect(EndpointSearch(root).found == [])
    }

    @Test("A host without a port is an endpoint if a name says what it is for")
    func noPort() throws {
        let root = try JSONText(Array(#"{"mqtt_quic": {"host": "h"}}"#.utf8), name: "endpoints.json").parse()
        #expect(EndpointSearch(root).found.map(\.host) == ["h"])
        #expect(EndpointSearch(root).found.map(\.port) == [nil])
    }

    @Test("A long name over many values takes no time", .timeLimit(.minutes(1)))
    func longName() throws {
        let name = String(repeating: "ä", count: 64_000)
        let urls = Array(repeating: #""a""#, count: 30_000).joined(separator: ",")
        let root = try JSONText(Array(#"{"\#(name)": {"url": [\#(urls)]}}"#.utf8), name: "endpoints.json").parse()
        #expect(EndpointSearch(root).found == [])
    }

    @Test("The number of endpoints is bounded")
    func bound() throws {
        let items = (0..<200).map { #"{"host": "h\#($0)", "quic_port": 14567}"# }.joined(separator: ",")
        let root = try JSONText(Array("[\(items)]".utf8), name: "endpoints.json").parse()
        #expect(EndpointSearch(root).found.count == 64)
    }

    @Test(
        "A URL is taken apart",
        arguments: [
            ("mqtts://h:1", "mqtts h 1"), ("MQTTS://h", "mqtts h -"), ("mqtts://u:p@h:1/x?y", "mqtts h 1"),
            ("mqtts://[2001:db8::1]:1", "mqtts 2001:db8::1 1"), ("mqtts://h:", "mqtts h "),
        ])
    func url(_ text: String, _ parts: String) {
        #expect(BundleURL(text).map { "\($0.scheme) \($0.host) \($0.port ?? "-")" } == parts)
    }

    @Test("A text that is no URL is none", arguments: ["", "h:1", "://h", "mqtts://", "mqtts://[::1]x", "mqtts://:1"])
    func noURL(_ text: String) {
        #expect(BundleURL(text) == nil)
    }
}
