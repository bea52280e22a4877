import BridgeCore
import Testing

@testable import BridgeConfig

struct FallbackTests {
    typealias Case = ConfigurationErrorTests.Case

    private func fallback(_ keys: String) throws -> UplinkFallback? {
        try load("uplink: {ca: ca.pem, \(keys)}").configuration.uplink.fallback
    }

    /// Without a host of its own, the fallback is the first endpoint, over TCP.
    @Test(arguments: [
        ("host: a", UplinkFallback?.none),
        ("host: a, fallback: {port: 8884}", UplinkFallback(host: "a", port: 8_884)),
        ("host: a, server_name: n, fallback: {port: 1}", UplinkFallback(host: "a", port: 1, serverName: "n")),
        ("host: a, server_name: n, fallback: {host: b, port: 1}", UplinkFallback(host: "b", port: 1)),
        (
            "host: a, server_name: n, fallback: {port: 1, server_name: m}",
            UplinkFallback(host: "a", port: 1, serverName: "m")
        ),
        (
            "endpoints: [{host: a, server_name: n}, b], fallback: {port: 1, after: 10s}",
            UplinkFallback(host: "a", port: 1, serverName: "n", after: .seconds(10))
        ),
    ])
    func read(_ keys: String, _ expected: UplinkFallback?) throws {
        #expect(try fallback(keys) == expected)
    }

    @Test func fromTheEnvironment() throws {
        let environment = [
            "BRIDGE_UPLINK_FALLBACK_PORT": "8884", "BRIDGE_UPLINK_FALLBACK_HOST": "b",
            "BRIDGE_UPLINK_FALLBACK_SERVER_NAME": "n", "BRIDGE_UPLINK_FALLBACK_AFTER": "1s",
        ]
        let loaded = try load(minimal, environment: environment)
        #expect(
            loaded.configuration.uplink.fallback
                == UplinkFallback(host: "b", port: 8_884, serverName: "n", after: .seconds(1)))
        #expect(
            try errors(minimal, environment: ["BRIDGE_UPLINK_FALLBACK_HOST": "b"]) == [
                "bridge.yaml:1:1: uplink.fallback.port: is missing (it can also come from BRIDGE_UPLINK_FALLBACK_PORT); it is "
                    + "the TCP port at which the broker takes MQTT over TLS: TESAIoT's is 8884"
            ])
    }

    @Test(arguments: [
        Case(
            "fallback: {host: b}",
            "1:31: uplink.fallback.port: is missing (it can also come from BRIDGE_UPLINK_FALLBACK_PORT); it is the TCP port "
                + "at which the broker takes MQTT over TLS: TESAIoT's is 8884"),
        Case(
            "fallback: ~",
            "1:31: uplink.fallback.port: is missing (it can also come from BRIDGE_UPLINK_FALLBACK_PORT); it is the TCP port "
                + "at which the broker takes MQTT over TLS: TESAIoT's is 8884"),
        Case(
            "fallback: {port: 0}",
            "1:48: uplink.fallback.port: 0 is out of range; a TCP port is a whole number from 1 to 65535"),
        Case(
            "fallback: {port: 1, after: 11s}",
            "1:58: uplink.fallback.after: 11s is out of range; write a value from 1s to 10s"),
        Case(
            "fallback: {port: 1, after: 500ms}",
            "1:58: uplink.fallback.after: 500ms is out of range; write a value from 1s to 10s"),
        Case(
            "fallback: {port: 1, host: \"tcp://a\"}",
            "1:57: uplink.fallback.host: \"tcp://a\" is a URL; only the host name goes here, such as mqtt.example.com"),
        Case(
            "fallback: {port: 1, ca: b}", "1:51: uplink.fallback.ca: unknown key; \"ca\" belongs under \"uplink:\""),
        Case("fallback: {prot: 1, port: 1}", "1:42: uplink.fallback.prot: unknown key; did you mean \"port\"?"),
        Case(
            "fallback: 8884",
            "1:31: uplink.fallback.port: is missing (it can also come from BRIDGE_UPLINK_FALLBACK_PORT); it is the TCP port "
                + "at which the broker takes MQTT over TLS: TESAIoT's is 8884",
            "1:41: uplink.fallback: expected a map of keys, found a single value; known: host, port, server_name, after"
        ),
        Case(
            "fallback: {port: 1, host: 10.0.0.1}, address_family: ipv6",
            "1:84: uplink.address_family: uplink.fallback.host is an IPv4 address; write ipv4 or any"),
        Case(
            "fallback: {port: 1, host: b, server_name: 192.0.2.1}",
            "1:73: uplink.fallback.server_name: the certificate of the fallback would have to name 192.0.2.1, which is an IP "
                + "address other than the host's; set server_name to a host name"),
        Case(
            "server_name: \"::1\", fallback: {port: 1}",
            "1:68: uplink.fallback.port: the certificate of the fallback would have to name ::1, which is an IP address other "
                + "than the host's; set server_name to a host name"),
        Case("fallback: {port: 1, host: \"::1\", server_name: \"::1\"}"),
        Case("fallbak: {port: 1}", "1:31: uplink.fallbak: unknown key; did you mean \"fallback\"?"),
    ])
    func wrong(_ test: Case) throws {
        let lines = try errors("uplink: {host: a, ca: ca.pem, \(test.text)}")
        #expect(lines == test.expected.map { "bridge.yaml:" + $0 })
    }

    @Test func notWithDataStream() throws {
        let text = """
            uplink: {host: a, ca: ca.pem, mapping: data-stream, identity: {client_id: gw}, fallback: {port: 8884}}
            auth: {mode: local, anonymous: true}
            """
        #expect(
            try errors(text) == [
                "bridge.yaml:1:80: uplink.fallback: cannot be used with mapping data-stream: there devices are data streams of one "
                    + "QUIC connection, and TLS over TCP has no streams; remove this, or write mapping: connection"
            ])
    }

    @Test(arguments: [
        Case("8884"),
        Case(
            "14567",
            "1:48: uplink.fallback.port: 14567 is usually the UDP port of MQTT over QUIC; the fallback is TLS over TCP"),
        Case("1883", "1:48: uplink.fallback.port: 1883 is usually plain MQTT; the fallback is always TLS"),
    ])
    func ports(_ test: Case) throws {
        let loaded = try load("uplink: {host: a, ca: ca.pem, fallback: {port: \(test.text)}}")
        #expect(loaded.warnings == test.expected.map { "bridge.yaml:" + $0 })
    }
}
