import BridgeCore
import Testing

@testable import BridgeConfig

/// Where the broker is: `uplink.endpoints` instead of `uplink.host`, and `uplink.fallback`.
struct EndpointTests {
    typealias Case = ConfigurationErrorTests.Case

    @Test func theListOfTheFile() throws {
        let text = """
            uplink:
              ca: ca.pem
              endpoints:
                - host: mqtt-a.example.com
                - {host: "2001:db8::7", port: 443, server_name: mqtt.example.com}
                - mqtt-b.example.com
                - "[::1]:5"
            """
        let loaded = try load(text)
        #expect(
            loaded.configuration.uplink.endpoints == [
                UplinkEndpoint(host: "mqtt-a.example.com"),
                UplinkEndpoint(host: "2001:db8::7", port: 443, serverName: "mqtt.example.com"),
                UplinkEndpoint(host: "mqtt-b.example.com"), UplinkEndpoint(host: "::1", port: 5),
            ])
        #expect(loaded.warnings.isEmpty)
        #expect(loaded.origins["uplink.endpoints"]?.description == "bridge.yaml:4:5")
    }

    @Test func aListWithEverythingCommentedOut() throws {
        #expect(try load("uplink:\n  host: a\n  ca: ca.pem\n  endpoints:\n").configuration.uplink.host == "a")
    }

    @Test(arguments: [
        Case("endpoints: []", "1:33: uplink.endpoints: is empty; give at least one, such as {host: mqtt.example.com}"),
        Case("endpoints: [{}]", "1:34: uplink.endpoints[0]: host is missing, such as mqtt.example.com"),
        Case(
            "endpoints: [{hots: a}]", "1:34: uplink.endpoints[0]: host is missing, such as mqtt.example.com",
            "1:35: uplink.endpoints[0].hots: unknown key; did you mean \"host\"?"),
        Case(
            "endpoints: [{host: a, ca: b}]", "1:44: uplink.endpoints[0].ca: unknown key; known: host, port, server_name"
        ),
        Case(
            "endpoints: [{host: a, port: 0}]",
            "1:50: uplink.endpoints[0].port: 0 is out of range; a UDP port is a whole number from 1 to 65535"),
        Case(
            "endpoints: [{host: a}, {host: 10.0.0.256}]",
            "1:52: uplink.endpoints[1].host: \"10.0.0.256\" is not an IPv4 address"),
        Case(
            "endpoints: [{host: a, server_name: \"a:b\"}]",
            "1:57: uplink.endpoints[0].server_name: \"a:b\" is neither a host name nor an IPv6 address; a port has a key of "
                + "its own"),
        Case(
            "endpoints: [{host: a}, {host: A, server_name: b}]",
            "1:45: uplink.endpoints[1]: A, port 14567, is given twice"),
        Case(
            "endpoints: [[a]]",
            "1:34: uplink.endpoints[0]: expected a map {host: ..., port: ..., server_name: ...}, found a list"),
        Case("endpoints: [a:x]", "1:34: uplink.endpoints[0]: \"a:x\": \"x\" is not a UDP port, 1 to 65535"),
        Case("endpoints: [a:65536]", "1:34: uplink.endpoints[0]: \"a:65536\": \"65536\" is not a UDP port, 1 to 65535"),
        Case(
            "endpoints: [\":14567\"]",
            "1:34: uplink.endpoints[0]: \":14567\": the host is missing, such as mqtt.example.com:14567"),
        Case(
            "endpoints: [\"::1\"]",
            "1:34: uplink.endpoints[0]: \"::1\": an IPv6 address goes in brackets: \"[::1]\" or \"[::1]:14567\""),
        Case(
            "endpoints: [\"::1:1883\"]",
            "1:34: uplink.endpoints[0]: \"::1:1883\": an IPv6 address goes in brackets, with its port after them: "
                + "\"[::1]:1883\""),
        Case("endpoints: [\"[::1\"]", "1:34: uplink.endpoints[0]: \"[::1\": the closing bracket is missing"),
        Case("endpoints: [\"[a]:1\"]", "1:34: uplink.endpoints[0]: \"[a]:1\": \"a\" is not an IPv6 address"),
        Case(
            "endpoints: [\"[::1]1\"]", "1:34: uplink.endpoints[0]: \"[::1]1\": a port follows the bracket after a colon"
        ),
        Case(
            "endpoints: [\"mqtts://a\"]",
            "1:34: uplink.endpoints[0]: \"mqtts://a\": \"mqtts://a\" is a URL; only the host name goes here, such as "
                + "mqtt.example.com"),
        Case(
            "endpoints: [a, b, c, d, e, f, g, h, i]", "1:33: uplink.endpoints: 9 endpoints; the most is 8"),
        Case(
            "endpoints: [a, 10.0.0.1], address_family: ipv6",
            "1:64: uplink.address_family: uplink.endpoints[1] is an IPv4 address; write ipv4 or any"),
        Case(
            "endpoints: [a], host: b, port: 1",
            "1:33: uplink.endpoints: uplink.host is given too; keep host, port and server_name for one endpoint, or "
                + "endpoints for several"),
        Case(
            "endpoints: [a], port: 1, server_name: b",
            "1:44: uplink.port: each of uplink.endpoints has a port of its own; write it there",
            "1:60: uplink.server_name: each of uplink.endpoints has a server_name of its own; write it there"),
        Case(
            "endpoint: [a]", "1:1: uplink.host: is missing",
            "1:22: uplink.endpoint: unknown key; did you mean \"endpoints\"?"),
    ])
    func wrong(_ test: Case) throws {
        let lines = try errors("uplink: {ca: ca.pem, \(test.text)}")
        #expect(lines.count == test.expected.count)
        for (line, expected) in zip(lines, test.expected) { #expect(line.hasPrefix("bridge.yaml:" + expected)) }
    }

    @Test func eightAreFine() throws {
        let loaded = try load("uplink: {ca: ca.pem, endpoints: [a, b, c, d, e, f, g, a:1]}")
        #expect(loaded.configuration.uplink.endpoints.count == 8)
    }

    @Test func portsOfTCP() throws {
        let loaded = try load("uplink: {ca: ca.pem, endpoints: [{host: a, port: 8883}, b, c:1883]}")
        let message = "is usually a TCP port; MQTT over QUIC is usually at UDP 14567"
        #expect(
            loaded.warnings == [
                "bridge.yaml:1:50: uplink.endpoints[0].port: 8883 \(message)",
                "bridge.yaml:1:60: uplink.endpoints[2]: 1883 \(message)",
            ])
    }

    // MARK: - The environment

    private static let list = "uplink:\n  ca: ca.pem\n  endpoints: [a, b]\n"

    @Test func endpointsOfTheEnvironment() throws {
        let environment = ["BRIDGE_UPLINK_ENDPOINTS": "a, b:1 ,[::1]:2"]
        let loaded = try load("uplink: {ca: ca.pem}", environment: environment)
        #expect(
            loaded.configuration.uplink.endpoints == [
                UplinkEndpoint(host: "a"), UplinkEndpoint(host: "b", port: 1), UplinkEndpoint(host: "::1", port: 2),
            ])
        #expect(loaded.warnings.isEmpty)
        #expect(
            try errors("uplink: {ca: ca.pem}", environment: ["BRIDGE_UPLINK_ENDPOINTS": "a,b:c,A:14567"]) == [
                "environment: BRIDGE_UPLINK_ENDPOINTS: uplink.endpoints: \"b:c\": \"c\" is not a UDP port, 1 to 65535",
                "environment: BRIDGE_UPLINK_ENDPOINTS: uplink.endpoints: A, port 14567, is given twice",
            ])
    }

    @Test(arguments: [("BRIDGE_UPLINK_HOST", "BRIDGE_UPLINK_PORT"), ("MQTT_HOST", "MQTT_PORT")])
    func aHostOfTheEnvironmentOverridesTheList(_ host: String, _ port: String) throws {
        let loaded = try load(Self.list, environment: [host: "c", port: "7"])
        #expect(loaded.configuration.uplink.endpoints == [UplinkEndpoint(host: "c", port: 7)])
        #expect(
            loaded.warnings == [
                "environment: \(host): uplink.host: uplink.endpoints (bridge.yaml:3:14) is not used, as this overrides it"
            ])
        #expect(loaded.origins["uplink.endpoints"] == nil)
    }

    @Test func endpointsOfTheEnvironmentOverrideTheHost() throws {
        let loaded = try load(
            "uplink: {host: c, port: 7, server_name: d, ca: ca.pem}",
            environment: ["BRIDGE_UPLINK_ENDPOINTS": "a:1,b"])
        #expect(
            loaded.configuration.uplink.endpoints == [UplinkEndpoint(host: "a", port: 1), UplinkEndpoint(host: "b")])
        let place = "environment: BRIDGE_UPLINK_ENDPOINTS: uplink.endpoints:"
        #expect(
            loaded.warnings == [
                "\(place) uplink.host (bridge.yaml:1:16) is not used, as this overrides it",
                "\(place) uplink.server_name (bridge.yaml:1:41) is not used, as this overrides it",
            ])
        #expect(loaded.origins["uplink.port"] == nil)
    }

    @Test func aPortAloneOverridesNothing() throws {
        let loaded = try load(Self.list, dotEnv: "MQTT_PORT=7")
        #expect(loaded.configuration.uplink.endpoints == [UplinkEndpoint(host: "a"), UplinkEndpoint(host: "b")])
        #expect(
            loaded.warnings == [
                ".env:1: MQTT_PORT: uplink.port: overrides nothing, as each of uplink.endpoints has its own; only "
                    + "BRIDGE_UPLINK_HOST overrides them"
            ])
    }

    @Test func bothInOnePlace() throws {
        let lines = try errors(
            minimal, environment: ["BRIDGE_UPLINK_ENDPOINTS": "a", "BRIDGE_UPLINK_HOST": "b"])
        #expect(
            lines == [
                "environment: BRIDGE_UPLINK_ENDPOINTS: uplink.endpoints: uplink.host is given too; keep host, port and "
                    + "server_name for one endpoint, or endpoints for several"
            ])
    }

    /// `BRIDGE_` names override those of TESAIoT.
    @Test func endpointsOverrideTheNamesOfADevice() throws {
        let loaded = try load(
            "uplink: {ca: ca.pem}", dotEnv: "MQTT_HOST=c\nMQTT_PORT=8\nBRIDGE_UPLINK_ENDPOINTS=a,b")
        #expect(loaded.configuration.uplink.endpoints.map(\.host) == ["a", "b"])
        #expect(
            loaded.warnings == [
                ".env:3: BRIDGE_UPLINK_ENDPOINTS: uplink.endpoints: uplink.host (.env:1: MQTT_HOST) is not used, as this "
                    + "overrides it"
            ])
    }
}
