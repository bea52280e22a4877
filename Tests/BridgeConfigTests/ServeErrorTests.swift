import Testing

@testable import BridgeConfig

struct ServeErrorTests {
    typealias Case = ConfigurationErrorTests.Case

    private static let required = "certificate: ca.pem, key: server.key, broker_host: broker"

    /// Each text replaces or follows the required keys, which begin at column 9.
    @Test(arguments: [
        Case("prot: 1", "1:68: serve.prot: unknown key; known: \(Key.names(in: "serve").joined(separator: ", "))"),
        Case("early_dta: true", "1:68: serve.early_dta: unknown key; did you mean \"early_data\"?"),
        Case(
            "listen: [127.0.0.1]",
            "1:77: serve.listen: \"127.0.0.1\": the port is missing, such as 127.0.0.1:14567 or [::1]:14567"),
        Case("listen: []", "1:76: serve.listen: is empty; give at least one address, such as 127.0.0.1:14567"),
        Case(
            "listen: [127.0.0.1:x]",
            "1:77: serve.listen: \"127.0.0.1:x\": \"x\" is not a UDP port: 1 to 65535, or 0 to let the system choose"),
        Case("listen: [127.0.0.1:1, 127.0.0.1:1]", "1:90: serve.listen: 127.0.0.1:1 is given twice"),
        Case(
            "listen: [{address: 127.0.0.1:1, name: a}]", "1:77: serve.listen: expected a single value, found a map"),
        Case("client_ca: nowhere", "1:79: serve.client_ca: DIR/nowhere: no such file"),
        Case(
            "client_ca: server.key", "1:79: serve.client_ca: DIR/server.key: holds a private key, not a certificate"),
        Case(
            "broker_port: 0",
            "1:81: serve.broker_port: 0 is out of range; a TCP port is a whole number from 1 to 65535"),
        Case(
            "broker_connect_timeout: 2m",
            "1:92: serve.broker_connect_timeout: 2m is out of range; write a value from 1s to 1m"),
        Case("proxy_protocol: yes", "1:84: serve.proxy_protocol: \"yes\" is neither true nor false"),
        Case("early_data: 1", "1:80: serve.early_data: \"1\" is neither true nor false"),
        Case(
            "retry: alway",
            "1:75: serve.retry: \"alway\" is not a value of this key; did you mean \"always\"? one of: auto, always, never"
        ),
        Case(
            "retry_above: 0",
            "1:81: serve.retry_above: 0 is out of range; a number of connections per second is a whole number from 1 to "
                + "1000000"),
        Case(
            "ticket_key_file: nowhere/ticket.key",
            "1:85: serve.ticket_key_file: DIR/nowhere: no such folder; make it first"),
        Case("ticket_key_file: .", "1:85: serve.ticket_key_file: DIR/.: is a folder, not a file"),
        Case(
            "server_id: 1",
            "1:79: serve.server_id: \"1\" is not a server ID; write 1 to 8 bytes as two hexadecimal digits each, such as "
                + "\"01\" or \"0a1f\""),
        Case(
            "server_id: 0x",
            "1:79: serve.server_id: \"0x\" is not a server ID; write 1 to 8 bytes as two hexadecimal digits each, such as "
                + "\"01\" or \"0a1f\""),
        Case(
            "server_id: 010203040506070809",
            "1:79: serve.server_id: \"010203040506070809\" is not a server ID; write 1 to 8 bytes as two hexadecimal digits "
                + "each, such as \"01\" or \"0a1f\""),
        Case("idle_timeout: 1s", "1:82: serve.idle_timeout: 1s is out of range; write a value from 5s to 1h"),
        Case(
            "connections: 0",
            "1:81: serve.connections: 0 is out of range; a number of connections is a whole number from 1 to 1000000"),
        Case(
            "connections_per_address: x",
            "1:93: serve.connections_per_address: \"x\" is not a number; a number of connections is a whole number from 1 "
                + "to 1000000"),
        Case(
            "streams_per_connection: 100001",
            "1:92: serve.streams_per_connection: 100001 is out of range; a number of streams is a whole number from 1 to "
                + "100000"),
        Case(
            "handshakes_per_second: -1",
            "1:91: serve.handshakes_per_second: -1 is out of range; a number of connections per second is a whole number "
                + "from 1 to 1000000"),
        Case("connect_within: 1ms", "1:84: serve.connect_within: 1ms is out of range; write a value from 100ms to 5m"),
        Case(
            "stream_buffer: 1KiB", "1:83: serve.stream_buffer: 1KiB is out of range; write a value from 16KiB to 1GiB"),
        Case("drain_timeout: 48h", "1:83: serve.drain_timeout: 48h is out of range; write a value from 0s to 24h"),
        Case("shutdown_timeout: 1h", "1:86: serve.shutdown_timeout: 1h is out of range; write a value from 0s to 5m"),
    ])
    func optional(_ test: Case) throws {
        let lines = try serveErrors("serve: {\(Self.required), \(test.text)}")
        #expect(lines == test.expected.map { "bridge.yaml:" + $0 })
    }

    @Test(arguments: [
        Case(
            "certificate: ca.pem, key: server.key",
            "1:1: serve.broker_host: is missing (it can also come from BRIDGE_SERVE_BROKER_HOST); it is the host name or "
                + "address of the broker that speaks TCP, such as 127.0.0.1"),
        Case(
            "certificate: ca.pem, key: server.key, broker_host: \"tcp://a\"",
            "1:60: serve.broker_host: \"tcp://a\" is a URL; only the host name goes here, such as mqtt.example.com"),
        Case(
            "key: server.key, broker_host: a",
            "1:1: serve.certificate: is missing (it can also come from BRIDGE_SERVE_CERTIFICATE); it is the PEM file of "
                + "the certificate that clients are shown, and its chain"),
        Case(
            "certificate: ca.pem, broker_host: a",
            "1:1: serve.key: is missing (it can also come from BRIDGE_SERVE_KEY); it is the PEM file of the private key of "
                + "serve.certificate"),
        Case(
            "certificate: server.key, key: ca.pem, broker_host: a",
            "1:22: serve.certificate: DIR/server.key: holds a private key, not a certificate",
            "1:39: serve.key: DIR/ca.pem: holds no PEM private key, but a certificate; use the private key that belongs to it"
        ),
    ])
    func required(_ test: Case) throws {
        #expect(try serveErrors("serve: {\(test.text)}") == test.expected.map { "bridge.yaml:" + $0 })
    }

    @Test func aFileForRun() throws {
        let lines = try serveErrors(minimal)
        #expect(lines.count == 3)
        #expect(lines.first?.hasPrefix("bridge.yaml: serve.certificate: is missing (it can also come from") == true)
        #expect(lines.first?.hasSuffix("; there is no section \"serve:\" here") == true)
    }

    @Test func runWithAFileForServe() throws {
        let lines = try errors(minimalServe)
        #expect(
            lines.first
                == "bridge.yaml: uplink.host: is missing (it can also come from BRIDGE_UPLINK_HOST); it is the broker's host "
                + "name, such as mqtt.tesaiot.com; with a section \"serve:\" only, this file is for the command serve")
        #expect(lines.count == 2)
    }

    /// An error about a misplaced key names the section in which it belongs.
    @Test func keysInTheWrongPlace() throws {
        let lines = try serveErrors(
            "broker_host: a\nserve.key: b\n" + minimalServe.replacing("}", with: ", level: info}"))
        #expect(
            lines == [
                "bridge.yaml:1:1: broker_host: unknown key; \"broker_host\" belongs under \"serve:\"",
                "bridge.yaml:2:1: serve.key: unknown key; write it as \"key\" under \"serve:\"",
                "bridge.yaml:3:68: serve.level: unknown key; \"level\" belongs under \"log:\"",
            ])
    }

    @Test func errorsOfTheEnvironmentNameTheVariable() throws {
        let lines = try serveErrors(
            minimalServe, dotEnv: "BRIDGE_SERVE_RETRI=auto", environment: ["BRIDGE_SERVE_LISTEN": "x"])
        #expect(
            lines == [
                ".env:1: BRIDGE_SERVE_RETRI: does not name a key; did you mean BRIDGE_SERVE_RETRY?",
                "environment: BRIDGE_SERVE_LISTEN: serve.listen: \"x\": the port is missing, such as 127.0.0.1:14567 or "
                    + "[::1]:14567",
            ])
    }

    @Test func noFile() {
        #expect(throws: ConfigurationErrors.self) {
            try ConfigurationLoader.load(.serve, file: "/nowhere/bridge.yaml", environment: [:])
        }
    }
}
