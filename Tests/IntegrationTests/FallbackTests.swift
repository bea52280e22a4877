import Foundation
import Testing

/// If the network blocks QUIC or the broker does not speak it, devices use MQTT over TLS, here with a real broker.
@Suite(.timeLimit(.minutes(20)), .mapping(.connection))
struct FallbackTests {
    static let onTLS = "QUIC is blocked or unanswered, falling back to MQTT over TLS"

    /// Options with a TLS listener at the broker and a fallback to it.
    func options(
        certificate: String = "server", ca: String = "ca", after: String = "1s", host: String = "localhost",
        _ more: String...
    ) -> Scenario.Options {
        var options = Scenario.Options()
        options.ca = ca
        options.broker.tlsCertificate = certificate
        options.uplink =
            ["fallback: {host: \(host), port: $TLS_PORT, after: \(after)}", "on_loss: close"] + more
        return options
    }

    /// Options for a network that drops UDP from the start.
    private func runBlocked(_ options: Scenario.Options, _ body: @Sendable (Scenario) async throws -> Void) async throws
    {
        try await UDPSink.run { sink in
            var options = options
            options.uplinkPort = sink.port
            try await Scenario.run(options, body)
        }
    }

    private func expectRefused(_ scenario: Scenario, saying words: String...) async throws {
        let client = await scenario.client("refused")
        let event = try await client.tryConnect(port: scenario.bridge.port, ["version": "5.0"])
        #expect(event.event == "connected" && event.code == 0x88)
        guard case .string(let text) = event.properties?["ReasonString"] else {
            Issue.record("no Reason String: \(event)")
            return
        }
        for word in words { #expect(text.localizedCaseInsensitiveContains(word), "'\(word)' in: \(text)") }
    }

    @Test func aDeviceBehindAFirewallGetsThroughAndTheNextDoesNotWait() async throws {
        try await runBlocked(options()) { scenario in
            let observer = try await scenario.observer("up")
            let first = try await scenario.device("first")
            try await scenario.bridgeSays(Self.onTLS)
            try await first.subscribe("down")
            try await first.publish("up", "hello", qos: 2)
            #expect(try await observer.message().text == "hello")
            try await observer.publish("down", "and back", qos: 2)
            #expect(try await first.message().text == "and back")
            for number in 1...5 { _ = try await scenario.device("next-\(number)") }
            #expect(await scenario.bridgeSaid("endpoint failed, trying") == 1)
            #expect(await scenario.bridgeSaid(Self.onTLS) == 1)
        }
    }

    @Test func theWayIsFoundBeforeTheFirstDeviceComes() async throws {
        try await runBlocked(options("warm: 2")) { scenario in
            try await scenario.bridgeSays("endpoint failed, trying the next")
            _ = try await scenario.device("first")
            #expect(await scenario.bridgeSaid("endpoint failed, trying") == 1)
        }
    }

    @Test func aServerThatSpeaksNoMQTTOverQUICIsLeftAtOnce() async throws {
        var options = options(after: "10s")
        options.front.alpn = ["something-else"]
        try await Scenario.run(options) { scenario in
            _ = try await scenario.device("device-1")
            let line = try await scenario.bridgeLogs(Self.onTLS)
            #expect(line.contains("ALPN"))
        }
    }

    @Test func anAddressIsCheckedToo() async throws {
        try await runBlocked(options(host: "127.0.0.1")) { scenario in
            _ = try await scenario.device("device-1")
        }
    }

    @Test(arguments: [
        ("wrong-name", "ca", ["localhost", "broker.example.org"]), ("expired", "ca", ["expired"]),
        ("not-yet-valid", "ca", ["not valid before"]), ("rsa-server", "ca", ["not trusted", "CA"]),
        ("expired-ca-server", "expired-ca", ["the CA certificate 'Expired CA' in ", " expired on "]),
    ])
    func aWrongCertificateIsRefused(certificate: String, ca: String, words: [String]) async throws {
        try await runBlocked(options(certificate: certificate, ca: ca)) { scenario in
            let client = await scenario.client("refused")
            let event = try await client.tryConnect(port: scenario.bridge.port, ["version": "5.0"])
            #expect(event.event == "connected" && event.code == 0x88)
            let line = try await scenario.bridgeLogs("the broker cannot be reached")
            for word in ["over QUIC", "no answer", "over TLS"] + words {
                #expect(line.localizedCaseInsensitiveContains(word), "'\(word)' in: \(line)")
            }
            let seen = await scenario.broker.process.errors.all
            #expect(!seen.contains { $0.contains(" as refused ") }, "the device's CONNECT reached the broker")
        }
    }

    @Test func aWrongAddressIsRefused() async throws {
        try await runBlocked(options(certificate: "wrong-name", host: "127.0.0.1")) { scenario in
            try await expectRefused(scenario, saying: "127.0.0.1", "192.0.2.1")
        }
    }

    @Test func aPortWithoutTLSIsNotUsed() async throws {
        try await runBlocked(options()) { scenario in
            try await expectUnusable(scenario.broker.port, in: scenario)
        }
    }

    @Test func aServerWithAnOlderTLSIsNotUsed() async throws {
        let certificates = try await Certificates.make()
        let server = try await ChildProcess.start(
            "older-tls", "openssl",
            [
                "s_server", "-tls1_2", "-accept", "127.0.0.1:0", "-cert", certificates.certificate("server"), "-key",
                certificates.key("server"),
            ])
        do {
            let line = try await server.output.first("the port") { $0.hasPrefix("ACCEPT ") }
            let port = try #require(line.split(separator: ":").last.flatMap { Int($0) })
            try await runBlocked(options()) { scenario in try await expectUnusable(port, in: scenario) }
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    /// A bridge whose fallback is at this port refuses its devices.
    private func expectUnusable(_ port: Int, in scenario: Scenario) async throws {
        var options = scenario.options
        options.uplink = options.uplink.map {
            $0.hasPrefix("fallback") ? "fallback: {host: localhost, port: \(port), after: 1s}" : $0
        }
        let bridge = try await scenario.anotherBridge(options, port: scenario.options.uplinkPort)
        let client = await scenario.client("refused")
        let event = try await client.tryConnect(port: bridge.port, ["version": "5.0"])
        #expect(event.code == 0x88)
        _ = try await bridge.process.errors.first("the reason") {
            $0.contains("the broker cannot be reached") && $0.contains("TLS")
        }
    }

    @Test func anUntrustedCertificateOverQUICIsNotBypassedByTheFallback() async throws {
        var options = options()
        options.front.certificate = "wrong-name"
        try await Scenario.run(options) { scenario in
            try await expectRefused(scenario, saying: "localhost", "broker.example.org")
            #expect(await scenario.bridgeSaid(Self.onTLS) == 0)
        }
    }

    @Test func aClientCertificateIsShown() async throws {
        let certificates = try await Certificates.make()
        var options = options()
        options.broker.tlsLines = ["cafile $CERTIFICATES/ca.pem", "require_certificate true"]
        try await runBlocked(options) { scenario in
            try await expectRefused(scenario, saying: "client certificate")
        }
        options.uplink += [
            "client_certificate: \(certificates.certificate("client"))", "client_key: \(certificates.key("client"))",
        ]
        try await runBlocked(options) { scenario in
            _ = try await scenario.device("device-1")
        }
    }
}

// MARK: - A leg like any other

extension FallbackTests {
    @Test func aDisconnectIsPassedOnAndALossPublishesTheWill() async throws {
        try await runBlocked(options()) { scenario in
            let observer = try await scenario.observer("wills")
            let polite = try await scenario.device(
                "polite", ["will": ["topic": "wills", "payload": ["text": "polite"]]])
            try await polite.disconnect()
            try await scenario.broker.logs("Received DISCONNECT from polite")
            let lost = try await scenario.device("lost", ["will": ["topic": "wills", "payload": ["text": "lost"]]])
            try await lost.vanish()
            #expect(try await observer.message().text == "lost")
        }
    }

    @Test func longMessagesPassBothWays() async throws {
        try await runBlocked(options()) { scenario in
            let device = try await scenario.device("device-1")
            try await device.subscribe("long")
            for _ in 1...3 {
                let sent = try await device.startPublishing("long", .size(3_000_000), qos: 1)
                #expect(try await device.message().sha256 == sent.sha256)
            }
        }
    }

    /// The bridge does not read from the broker for a device that does not read, so its buffers are bounded.
    @Test func aDeviceThatDoesNotReadHoldsUpItsOwnBrokerOnly() async throws {
        try await runBlocked(options()) { scenario in
            let slow = try await RawDevice.connect(port: scenario.bridge.port, receiveBuffer: 8_192)
            #expect(try await slow.connect("slow") == 0)
            try await slow.send(RawMQTT.subscribe("flood"))
            _ = try await slow.receive(5)
            try await slow.read(false)
            let before = try scenario.bridge.memory("VmRSS")
            let source = await scenario.client("source")
            try await source.connect(port: scenario.broker.port)
            for _ in 1...40 { try await source.publish("flood", .size(1_000_000), qos: 1) }
            let other = try await scenario.device("other")
            try await other.publish("elsewhere", "goes", qos: 1)
            #expect(try scenario.bridge.memory("VmRSS") < before + 20_000)
        }
    }

    @Test func aBrokerThatDiesEndsItsDevices() async throws {
        try await runBlocked(options()) { scenario in
            let device = try await scenario.device("device-1")
            try await scenario.broker.kill()
            _ = try await device.disconnected()
            try await scenario.bridgeLogs("session ended", "without TLS's farewell")
        }
    }

    @Test func shutdownEndsSessionsInOrder() async throws {
        try await runBlocked(options()) { scenario in
            for name in ["one", "two", "three"] { _ = try await scenario.device(name) }
            scenario.bridge.process.signal(SIGTERM)
            #expect(try await scenario.bridge.process.end() == .exit(0))
            for name in ["one", "two", "three"] { try await scenario.broker.logs("Received DISCONNECT from \(name)") }
        }
    }
}
