import Testing

@testable import BridgeConfig

struct ConfigurationErrorTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var expected: [String]

        init(_ text: String, _ expected: String...) {
            self.text = text
            self.expected = expected
        }

        var testDescription: String { text.replacing("\n", with: "⏎") }
    }

    /// The keys under test begin in line 2; line 1 is what every configuration needs.
    @Test(arguments: [
        Case(
            "prot: 1",
            "2:1: prot: unknown key; known: profile, listen, routes, unrouted, threads, gather_delay, uplink, auth, limits, "
                + "log, admin, serve"),
        Case("port: 1", "2:1: port: unknown key; \"port\" belongs under \"uplink:\""),
        Case("host: a", "2:1: host: unknown key; \"host\" belongs under \"uplink:\""),
        Case("fallback: {port: 1}", "2:1: fallback: unknown key; \"fallback:\" belongs under \"uplink:\""),
        Case("uplink.port: 1", "2:1: uplink.port: unknown key; write it as \"port\" under \"uplink:\""),
        Case("Routes: []", "2:1: Routes: unknown key; did you mean \"routes\"?"),
        Case("limits: {devces: 1}", "2:10: limits.devces: unknown key; did you mean \"devices\"?"),
        Case("log: {colour: red}", "2:7: log.colour: unknown key; known: level, format, repeats"),
        Case(
            "limits: 5",
            "2:9: limits: expected a map of keys, found a single value; known: devices, devices_per_address, "
                + "connect_within, packet_size, session_buffer, accept_rate, shutdown_timeout, "
                + "drain_timeout"),
        Case("gather_delay: 6ms", "2:15: gather_delay: 6ms is out of range; write a value from 0s to 5ms"),
        Case("threads: [1]", "2:10: threads: expected a single value, found a list"),
        Case("threads: {a: 1}", "2:10: threads: expected a single value, found a map"),
        Case("threads:", "2:1: threads: has no value; remove the line to use the default"),
        Case("threads: ~", "2:1: threads: has no value; remove the line to use the default"),
        Case(
            "threads: many",
            "2:10: threads: \"many\" is not a number; the number of threads, if not \"auto\", is a whole number from 1 to 256"
        ),
        Case(
            "threads: 0",
            "2:10: threads: 0 is out of range; the number of threads, if not \"auto\", is a whole number from 1 to 256"),
        Case(
            "limits: {devices: 99999999999999999999}",
            "2:19: limits.devices: 99999999999999999999 is out of range; a number of devices is a whole number from 1 "
                + "to 1000000"),
        Case(
            "limits: {connect_within: soon}",
            "2:26: limits.connect_within: \"soon\" is not a time; write a time such as 5s, 500ms, 2m or 1h, from 100ms "
                + "to 5m; a bare number counts seconds"),
        Case(
            "limits: {connect_within: 1h}",
            "2:26: limits.connect_within: 1h is out of range; write a value from 100ms to 5m"),
        Case(
            "limits: {packet_size: big}",
            "2:23: limits.packet_size: \"big\" is not a size; write a size such as 10MB or 256KiB, from 1KiB to "
                + "268435460; a bare number counts bytes"),
        Case(
            "limits: {packet_size: 1GiB}",
            "2:23: limits.packet_size: 1GiB is out of range; write a value from 1KiB to 268435460"),
        Case(
            "log: {level: warn}",
            "2:14: log.level: \"warn\" is not a value of this key; did you mean \"warning\"? one of: trace, debug, "
                + "info, notice, warning, error, critical"),
        Case("log: {format: xml}", "2:15: log.format: \"xml\" is not a value of this key; one of: text, json"),
        Case("unrouted: deny", "2:11: unrouted: \"deny\" is not a value of this key; one of: pass, drop, reject"),
        Case("listen: []", "2:9: listen: is empty; give at least one address, such as 127.0.0.1:1883"),
        Case(
            "listen: 1883",
            "2:9: listen: \"1883\": the address is missing: 127.0.0.1:1883, or 0.0.0.0:1883 for all interfaces"),
        Case(
            "listen: [\":1883\"]",
            "2:10: listen: \":1883\": the address is missing; for all interfaces write 0.0.0.0:1883 and [::]:1883"),
        Case(
            "listen: [localhost:1883]",
            "2:10: listen: \"localhost:1883\": write the address of localhost: 127.0.0.1:1883"),
        Case(
            "listen: [\"::1\"]",
            "2:10: listen: \"::1\": an IPv6 address goes in brackets, with a port: \"[::1]:1883\""),
        Case("listen: [127.0.0.1:1, 127.0.0.1:1]", "2:23: listen: 127.0.0.1:1 is given twice"),
        Case(
            "listen: [\"[::1]:1\", \"[0::1]:1\"]", "2:21: listen: [0::1]:1 is given twice, as it is the same as [::1]:1"
        ),
        Case(
            "listen: [0.0.0.0:1, 127.0.0.1:2, 127.0.0.1:1]",
            "2:34: listen: 0.0.0.0:1 is every IPv4 address with that port, 127.0.0.1:1 included (bridge.yaml:2:10); keep "
                + "one of the two"),
        Case(
            "listen: [\"[::1]:1\", \"[::]:1\"]",
            "2:21: listen: [::]:1 is every IPv6 address with that port, [::1]:1 included (bridge.yaml:2:10); keep one of "
                + "the two"),
        Case("listen: [\"0.0.0.0:1\", \"[::]:1\", \"0.0.0.0:0\", \"127.0.0.1:0\"]"),
        Case("listen: [{name: a}]", "2:10: listen[0]: address is missing, such as 127.0.0.1:1883"),
        Case(
            "listen: [{adress: a}]", "2:10: listen[0]: address is missing, such as 127.0.0.1:1883",
            "2:11: listen[0].adress: unknown key; did you mean \"address\"?"),
        Case(
            "listen: [{address: 127.0.0.1:1, name: a/b}]",
            "2:39: listen[0].name: a name must not contain / + or #, because it can become part of a topic"),
        Case(
            "listen: [127.0.0.1:70000]",
            "2:10: listen: \"127.0.0.1:70000\": \"70000\" is not a TCP port: 1 to 65535, or 0 to let the system choose"),
    ])
    func topLevel(_ test: Case) throws {
        try expect(minimal + test.text, test.expected)
    }

    /// Nothing is said to be missing, or to have no effect, because of it.
    @Test(arguments: [
        ("uplink: {host: [a], ca: ca.pem}", "uplink.host"), ("uplink: {host: a, ca: {b: c}}", "uplink.ca"),
        ("uplink: {host: a, ca: ca.pem, client_certificate: [b], client_key: key.pem}", "uplink.client_certificate"),
        ("uplink: {host: a, ca: ca.pem, mapping: [mux], identity: {client_id: g}}", "uplink.mapping"),
        ("uplink: {host: a, ca: ca.pem}\nauth: {mode: [inject], username: u}", "auth.mode"),
        ("uplink: {host: a, ca: ca.pem}\nauth: {mode: inject, username: [u]}", "auth.username"),
        ("uplink: {host: a, ca: ca.pem}\nauth: {mode: bundles, bundles: [b]}", "auth.bundles"),
        (
            "uplink: {host: a, ca: ca.pem, mapping: data-stream, identity: {client_id: g}}\n"
                + "auth: {mode: local, users_file: [u]}", "auth.users_file"
        ),
    ])
    func aValueOfTheWrongShapeIsOneMistake(_ text: String, _ key: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("key.pem", TemporaryFolder.key)
        let lines = try errors(text, folder: folder)
        let message = " \(key): expected a single value, found a "
        #expect(lines.count == 1 && lines.first?.contains(message) == true, "\(lines)")
    }

    @Test(arguments: [
        Case(
            "host: a, ca: ca.pem, port: 0",
            "1:37: uplink.port: 0 is out of range; a UDP port is a whole number from 1 to 65535"),
        Case(
            "host: a, ca: ca.pem, port: x",
            "1:37: uplink.port: \"x\" is not a number; a UDP port is a whole number from 1 to 65535"),
        Case(
            "ca: ca.pem",
            "1:1: uplink.host: is missing (it can also come from BRIDGE_UPLINK_HOST); it is the broker's host name, such as mqtt.tesaiot.com"
        ),
        Case("host: \"\", ca: ca.pem", "1:16: uplink.host: is empty; leave the key out to use the default"),
        Case(
            "host: \"mqtts://a\", ca: ca.pem",
            "1:16: uplink.host: \"mqtts://a\" is a URL; only the host name goes here, such as mqtt.example.com"),
        Case("host: 10.0.0.256, ca: ca.pem", "1:16: uplink.host: \"10.0.0.256\" is not an IPv4 address"),
        Case(
            "host: a, ca: ca.pem, keep_alive: 31s",
            "1:43: uplink.keep_alive: 31s is out of range; write a value from 1s to 30s"),
        Case(
            "host: a, ca: ca.pem, idle_timeout: 25s",
            "1:45: uplink.idle_timeout: idle timeout 25s is not longer than uplink.keep_alive (25s); an idle connection "
                + "would end between two PINGs"),
        Case(
            "host: a, ca: ca.pem, backoff_minimum: 2m, backoff_maximum: 1m",
            "1:48: uplink.backoff_minimum: is longer than uplink.backoff_maximum (1m); the wait grows from one to the other"
        ),
        Case(
            "host: a, ca: ca.pem, mapping: mx",
            "1:40: uplink.mapping: \"mx\" is not a value of this key; did you mean \"mux\"? one of: auto, connection, mux, "
                + "data-stream"),
        Case(
            "host: 10.0.0.1, ca: ca.pem, address_family: ipv6",
            "1:54: uplink.address_family: uplink.host is an IPv4 address; write ipv4 or any"),
        Case("host: a, ca: ca.pem, alpn: []", "1:37: uplink.alpn: a list of 1 to 8 protocol names, such as [mqtt]"),
        Case(
            "host: a, ca: ca.pem, alpn: [m q]",
            "1:38: uplink.alpn: \"m q\" is not a protocol name; a protocol name is 1 to 255 visible ASCII characters, such as mqtt"
        ),
        Case(
            "host: a",
            "1:1: uplink.ca: is missing (it can also come from BRIDGE_UPLINK_CA); it is the PEM file of the CA that signed "
                + "the broker's certificate (a TESAIoT bundle has the CA as ca-chain.pem; put that file into "
                + "credential_certificates/)"),
        Case(
            "host: a, ca: no.pem",
            "1:23: uplink.ca: DIR/no.pem: no such file; a TESAIoT bundle has the CA as ca-chain.pem; put that file into "
                + "credential_certificates/"),
        Case(
            "host: a, ca: ca.pem, client_key: k.pem",
            "1:43: uplink.client_key: needs uplink.client_certificate beside it",
            "1:43: uplink.client_key: DIR/k.pem: no such file"),
        Case(
            "host: a, ca: ca.pem, client_certificate: ca.pem",
            "1:51: uplink.client_certificate: needs uplink.client_key beside it"),
        Case("host: a, ca: ca.pem, qlog: nowhere", "1:37: uplink.qlog: DIR/nowhere: no such folder; make it first"),
        Case("host: a, ca: ~/ca.pem", "1:23: uplink.ca: ~ is not expanded here; write the whole path"),
    ])
    func uplink(_ test: Case) throws {
        try expect("uplink: {\(test.text)}", test.expected)
    }

    @Test(arguments: [
        Case(
            "routes: {local: a}",
            "2:9: routes: expected a list, found a map; each route begins with a dash: - {local: ..., remote: ...}"),
        Case(
            "routes: [a]",
            "2:10: routes[0]: expected a map {local: ..., remote: ..., direction: ..., max_qos: ..., retain: ...}, found a single value"
        ),
        Case("routes: [{local: a}]", "2:10: routes[0]: remote is missing; a route needs local and remote"),
        Case("routes: [{local: a, remote: b, qos: 1}]", "2:32: routes[0].qos: unknown key; did you mean \"max_qos\"?"),
        Case(
            "routes: [{local: a, remote: b, max_qos: 3}]",
            "2:41: routes[0].max_qos: 3 is out of range; a QoS is a whole number from 0 to 2"),
        Case(
            "routes: [{local: a, remote: b, retain: true}]",
            "2:40: routes[0].retain: \"true\" is not a value of this key; one of: keep, strip"),
        Case(
            "routes: [{local: a, remote: b, direction: out}]",
            "2:43: routes[0].direction: \"out\" is not a value of this key; one of: up, down, both"),
        Case(
            "routes:\n  - {local: a, remote: b}\n  - local: \"a/+\"\n    remote: b",
            "5:13: routes[1].remote: the local side \"a/+\" has 1 `+` and no `#`, the remote side \"b\" has 0 `+` and no `#`: both need the same number of `+`, and `#` at the end of both or of neither"
        ),
        Case(
            "routes: [{local: \"a/#\", remote: b}]",
            "2:33: routes[0].remote: the local side \"a/#\" has 0 `+` and a `#`, the remote side \"b\" has 0 `+` and no `#`: both need the same number of `+`, and `#` at the end of both or of neither"
        ),
        Case(
            "routes: [{local: \"a/#/b\", remote: b}]",
            "2:18: routes[0].local: the local side has a `#` before its last level: `#` is only allowed at the end, as in `a/b/#`"
        ),
        Case(
            "routes: [{local: a, remote: \"d/${client_id}\"}]",
            "2:29: routes[0].remote: the remote side \"d/${client_id}\": unknown variable \"client_id\": the known variables are ${clientid}, ${username}, ${listener}, ${peer}"
        ),
        Case(
            "routes: [{local: \"${clientid}\", remote: b}]",
            "2:18: routes[0].local: the local side \"${clientid}\" contains a variable: variables are only allowed on the remote side"
        ),
    ])
    func routes(_ test: Case) throws {
        try expect(minimal + test.text, test.expected)
    }

    @Test func allErrorsAtOnceInTheOrderOfLines() throws {
        let text = """
            log: {level: loud}
            uplink:
              ca: ca.pem
              port: 99999
              prot: 1
            limits:
              devices: none
            """
        let lines = try errors(
            text, dotEnv: "BRIDGE_LOG_FORMAT=x\n\nBRIDGE_THREADS=x", environment: ["BRIDGE_UPLINK_ALPN": " , "])
        let places = lines.map { $0.split(separator: ": ").prefix(2).joined(separator: " ") }
        #expect(
            places == [
                "bridge.yaml:1:14 log.level", "bridge.yaml:2:1 uplink.host", "bridge.yaml:4:9 uplink.port",
                "bridge.yaml:5:3 uplink.prot", "bridge.yaml:7:12 limits.devices", ".env:1 BRIDGE_LOG_FORMAT",
                ".env:3 BRIDGE_THREADS", "environment BRIDGE_UPLINK_ALPN",
            ])
    }

    @Test func manyRoutes() throws {
        let route = "  - {local: a, remote: b}\n"
        #expect(try errors(minimal + "routes:\n" + String(repeating: route, count: 1_000)).isEmpty)
        try expect(
            minimal + "routes:\n" + String(repeating: route, count: 1_001),
            ["3:3: routes: 1001 routes; the most is 1000"])
    }

    func expect(_ text: String, _ expected: [String], _ location: SourceLocation = #_sourceLocation) throws {
        let lines = try errors(text)
        #expect(lines == expected.map { "bridge.yaml:" + $0 }, sourceLocation: location)
    }
}
