import BridgeCore
import Testing

@testable import BridgeConfig

struct ValueTests {
    @Test(arguments: [
        ("5s", Duration.seconds(5)), ("500ms", .milliseconds(500)), ("2m", .seconds(120)), ("2min", .seconds(120)),
        ("1h", .seconds(3_600)), ("7", .seconds(7)), ("1.5s", .milliseconds(1_500)), ("0.25m", .seconds(15)),
        ("0", .zero), ("1.5", .milliseconds(1_500)), ("5 s", .seconds(5)), ("5S", .seconds(5)),
    ])
    func duration(_ text: String, _ expected: Duration) {
        #expect(DurationValue.parse(text) == expected)
    }

    @Test(arguments: [
        "", "s", "-5s", "5x", "1.s", ".5s", "1.2.3s", "1.5ms", "0.0001s", "99999999999999999999s", "1e3", "5s ", "５s",
        "9223372036854775807h",
    ])
    func noDuration(_ text: String) {
        #expect(DurationValue.parse(text) == nil)
    }

    @Test(arguments: ["5s", "500ms", "2m", "1h", "1500ms", "0s", "90s"])
    func durationIsWrittenAsItIsRead(_ text: String) {
        #expect(DurationValue.parse(text).map(DurationValue.render) == text)
    }

    @Test(arguments: [
        ("10MB", 10_000_000), ("256KiB", 262_144), ("1000", 1_000), ("1kb", 1_000), ("2 MiB", 2_097_152), ("7B", 7),
        ("1GB", 1_000_000_000),
    ])
    func size(_ text: String, _ expected: Int) {
        #expect(SizeValue.parse(text) == expected)
        #expect(SizeValue.parse(SizeValue.render(expected)) == expected)
    }

    @Test(arguments: ["", "MB", "-1", "1.5MB", "10M", "9223372036854775807KB", "99999999999999999999"])
    func noSize(_ text: String) {
        #expect(SizeValue.parse(text) == nil)
    }

    @Test(arguments: [
        "mqtt.tesaiot.com", "a", "10.0.0.1", "::1", "fe80::1%eth0", "my_broker", "a.", "mqtt.example.com.",
        "xn--bcher-kva.example", "emqx-0.emqx",
    ])
    func host(_ text: String) {
        #expect(HostValue.problem(with: text) == nil)
    }

    @Test(arguments: [
        "a b", "-a", "a-", "a..b", "a..", ".", ".a", "1.2.3.4.", "1.2.3", "1.2.3.4.5", "bücher.example", "a:1", "[::1]",
        "a/b",
        "fe80::1", "fe80::1%", "::1%lo", "a%eth0", "10.0.0.1%eth0",
        "mqtt://a", "<host>", String(repeating: "a", count: 64),
        Array(repeating: "abcdefgh", count: 29).joined(separator: "."),
    ])
    func noHost(_ text: String) {
        #expect(HostValue.problem(with: text) != nil)
    }

    /// As a whole this is an address, but the port belongs in its own key.
    @Test func aPortInAnAddressIsWarnedOf() throws {
        #expect(
            try load("uplink: {host: \"::1:1883\", ca: ca.pem}").warnings == [
                "bridge.yaml:1:16: uplink.host: as a whole this is the IPv6 address ::1:1883; if 1883 is meant to be a "
                    + "port, write only ::1 here: the port has its own key"
            ])
        #expect(try load("uplink: {host: \"fd00::1:2\", ca: ca.pem}").warnings.isEmpty)
    }

    @Test(arguments: [
        ("127.0.0.1:1883", "127.0.0.1", 1883), ("[::1]:1883", "::1", 1883), ("0.0.0.0:0", "0.0.0.0", 0),
        ("[::]:65535", "::", 65_535), ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
    ])
    func listen(_ text: String, _ host: String, _ port: Int) throws {
        #expect(try ListenValue.parse(text) == ListenAddress(host: host, port: port))
    }

    @Test(arguments: [
        ("::1", "an IPv6 address goes in brackets, with a port: \"[::1]:1883\""),
        ("::1:1883", "an IPv6 address goes in brackets, with its port after them: \"[::1]:1883\""),
        (":::1883", "an IPv6 address goes in brackets: \"[::]:1883\""),
        (
            "fd00::1:22",
            "an IPv6 address goes in brackets, with its port after them: \"[fd00::1]:22\", or \"[fd00::1:22]:1883\""
        ),
        ("fd00::a", "an IPv6 address goes in brackets, with a port: \"[fd00::a]:1883\""),
        (
            "[fe80::1]:1",
            "fe80::1 is a link-local address, which needs a network interface as its zone, such as "
                + "fe80::1%eth0"
        ),
        ("[::1%lo]:1", "a zone (%) is for link-local addresses only (fe80::...); write ::1"),
        ("10.0.0.1%eth0:1", "a zone (%) goes after an IPv6 address, such as fe80::1%eth0"),
        ("[::1]", "the port is missing, such as 127.0.0.1:1883 or [::1]:1883"),
        ("[::1", "the closing bracket is missing"),
        ("[x]:1", "\"x\" is not an IPv6 address"),
        ("127.0.0.1", "the port is missing, such as 127.0.0.1:1883 or [::1]:1883"),
        ("127.0.0.1:", "\"\" is not a TCP port: 1 to 65535, or 0 to let the system choose"),
        ("127.0.0.1:-1", "\"-1\" is not a TCP port: 1 to 65535, or 0 to let the system choose"),
        ("127.0.0.1:+1", "\"+1\" is not a TCP port: 1 to 65535, or 0 to let the system choose"),
        ("*:1883", "the address is missing; for all interfaces write 0.0.0.0:1883 and [::]:1883"),
        ("broker:1883", "\"broker\" is not an IP address of this machine, such as 127.0.0.1:1883 or [::1]:1883"),
        ("a\nb:1", "\"a\u{FFFD}b\" is not an IP address of this machine, such as 127.0.0.1:1883 or [::1]:1883"),
        (
            "127.0.0.1\u{0}x:1",
            "\"127.0.0.1\u{FFFD}x\" is not an IP address of this machine, such as 127.0.0.1:1883 or [::1]:1883"
        ),
        ("[::1\u{0}]:1", "\"::1\u{FFFD}\" is not an IPv6 address"),
        ("127.0.0.1:1\r", "\"1\u{FFFD}\" is not a TCP port: 1 to 65535, or 0 to let the system choose"),
        ("[fe80::1%a/b]:1", "\"a/b\" after % is not the name of a network interface, such as eth0"),
        ("[fe80::1%a\n]:1", "\"a\u{FFFD}\" after % is not the name of a network interface, such as eth0"),
    ])
    func noListen(_ text: String, _ message: String) {
        #expect(throws: ListenValue.Problem(message: message)) { try ListenValue.parse(text) }
    }

    @Test(arguments: [
        ("prot", "port"), ("hots", "host"), ("PORT", "port"), ("server-name", "server_name"),
        ("serverName", "server_name"), ("tls", "tls_key_log"), ("timeout", "idle_timeout"),
        ("conect_timeout", "connect_timeout"),
    ])
    func nearestName(_ name: String, _ expected: String) {
        #expect(NearestName.of(name, in: Key.names(in: "uplink")) == expected)
    }

    @Test(arguments: ["", "colour", "x", "zzzzzzzzzzzz"])
    func noNearName(_ name: String) {
        #expect(NearestName.of(name, in: Key.names(in: "uplink")) == nil)
    }
}
