import Testing

/// The QUIC side of the bridge: which brokers it trusts, and what a device is told if the broker cannot be reached.
@Suite(.timeLimit(.minutes(20)))
struct UplinkTests {
    /// A 3.1.1 device gets CONNACK 3, and a 5.0 device gets 0x88 with a reason. Then the connection ends.
    private func expectUnavailable(_ scenario: Scenario, reason: [String]) async throws {
        let old = try await RawDevice.connect(port: scenario.bridge.port)
        #expect(try await old.connect("old") == 3)
        _ = try await old.closed()
        let new = await scenario.client("new")
        let refused = try await new.tryConnect(port: scenario.bridge.port, ["version": "5.0"])
        #expect(refused.event == "connected" && refused.code == 0x88)
        guard case .string(let text) = refused.properties?["ReasonString"] else {
            Issue.record("no Reason String: \(refused)")
            return
        }
        for word in reason {
            #expect(text.localizedCaseInsensitiveContains(word))
        }
        _ = try await new.disconnected()
    }

    private func expectReaches(_ options: Scenario.Options) async throws {
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await scenario.device("device-1")
            try await device.publish("up", "hello", qos: 1)
            #expect(try await observer.message().text == "hello")
        }
    }

    @Test func anRSAChainIsTrusted() async throws {
        var options = Scenario.Options()
        options.front.certificate = "rsa-server"
        options.ca = "rsa-ca-chain"
        try await expectReaches(options)
    }

    @Test func aRetryIsFollowed() async throws {
        var options = Scenario.Options()
        options.front.retry = true
        try await expectReaches(options)
    }

    /// EMQX 6.0.3 crashes the connection of a client that announces DATAGRAM frames (RFC 9221).
    @Test(.mapping(.connection, .dataStream)) func datagramsAreNotAnnounced() async throws {
        try await Scenario.run { scenario in
            _ = try await scenario.device("device-1")
            #expect(try await scenario.front.handshakes.allSatisfy { $0.datagrams == false })
            #expect(try await scenario.front.said("crashed") == 0)
        }
    }

    @Test(arguments: ["cubic", "bbr"])
    func congestionControlCanBeChosen(name: String) async throws {
        var options = Scenario.Options()
        options.uplink = ["congestion_control: \(name)"]
        try await expectReaches(options)
    }

    @Test func theNameToVerifyCanBeGiven() async throws {
        var options = Scenario.Options()
        options.front.certificate = "wrong-name"
        options.host = "127.0.0.1"
        options.uplink = ["server_name: broker.example.org"]
        try await expectReaches(options)
    }

    @Test func anIPAddressIsVerified() async throws {
        var options = Scenario.Options()
        options.host = "127.0.0.1"
        try await expectReaches(options)
    }

    @Test func aClientCertificateIsShown() async throws {
        let certificates = try await Certificates.make()
        var options = Scenario.Options()
        options.front.clientCA = "ca"
        options.uplink = [
            "client_certificate: \(certificates.certificate("client"))", "client_key: \(certificates.key("client"))",
        ]
        try await expectReaches(options)
    }

    @Test func aMissingClientCertificateIsNamed() async throws {
        var options = Scenario.Options()
        options.front.clientCA = "ca"
        options.uplink = ["backoff_minimum: 10ms", "backoff_maximum: 20ms"]
        try await Scenario.run(options) { scenario in
            try await expectUnavailable(scenario, reason: [])
        }
    }

    @Test(arguments: [
        ("wrong-name", "ca", ["localhost", "broker.example.org", "192.0.2.1"]), ("server", "other-ca", ["trust"]),
        ("expired", "ca", ["expired"]),
        ("expired-ca-server", "expired-ca", ["the CA certificate 'CN=Expired CA' in ", " expired on "]),
        ("not-yet-valid", "ca", ["valid"]),
    ])
    func aCertificateThatDoesNotVerifyIsNoBroker(certificate: String, ca: String, reason: [String]) async throws {
        var options = Scenario.Options()
        options.front.certificate = certificate
        options.ca = ca
        options.uplink = ["backoff_minimum: 10ms", "backoff_maximum: 20ms"]
        try await Scenario.run(options) { scenario in
            try await expectUnavailable(scenario, reason: reason)
            let seen = try await scenario.farEnd.front?.reported() ?? []
            #expect(!seen.contains { $0.type == "CONNECT" }, "a device's CONNECT reached it")
        }
    }

    @Test(.mapping(.connection)) func aRefusedALPNIsNoBroker() async throws {
        var options = Scenario.Options()
        options.front.alpn = ["h3"]
        options.uplink = ["backoff_minimum: 10ms", "backoff_maximum: 20ms"]
        try await Scenario.run(options) { scenario in
            try await expectUnavailable(scenario, reason: ["ALPN"])
        }
    }

    @Test func anUplinkThatIsDeadAtStartMayComeUpLater() async throws {
        var options = Scenario.Options()
        let port = try Toolbox.freePort()
        options.uplinkPort = port
        options.uplink = ["connect_timeout: 1s", "backoff_minimum: 50ms", "backoff_maximum: 200ms"]
        try await Scenario.run(options) { scenario in
            try await expectUnavailable(scenario, reason: ["\(port)"])
            var options = Front.Options()
            options.port = port
            let second = try await FarEnd.start(in: scenario.folder, broker: scenario.broker.port, options)
            await scenario.own(second.process)
            try await eventuallyConnects(scenario, "device")
        }
    }

    /// There is no answer at all, as behind a firewall. The device is told so within the configured time.
    @Test func aSilentUplinkIsGivenUp() async throws {
        var options = Scenario.Options()
        options.uplink = ["connect_timeout: 1s", "backoff_minimum: 50ms", "backoff_maximum: 200ms"]
        try await Scenario.run(options) { scenario in
            try await scenario.farEnd.mute(true)
            try await expectUnavailable(scenario, reason: ["UDP"])
            try await scenario.farEnd.mute(false)
            try await eventuallyConnects(scenario, "device")
        }
    }

    @Test func anUplinkThatFallsSilentEndsItsDevices() async throws {
        var options = Scenario.Options()
        options.uplink = ["idle_timeout: 3s", "keep_alive: 1s"] + Uplink.close
        try await Scenario.run(options) { scenario in
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", keepAlive: 0) == 0)
            try await scenario.farEnd.mute(true)
            _ = try await device.closed()
            try await scenario.farEnd.mute(false)
            try await eventuallyConnects(scenario, "device")
        }
    }

    /// MQTT's keepalive must expire before QUIC's idle timeout, so a device with a long keepalive gets a longer idle
    /// timeout.
    @Test(.mapping(.connection)) func theIdleTimeoutIsAboveTheDevicesKeepAlive() async throws {
        var options = Scenario.Options()
        options.uplink = ["idle_timeout: 3s", "keep_alive: 1s"] + Uplink.close
        try await Scenario.run(options) { scenario in
            let short = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await short.connect("short", keepAlive: 0) == 0)
            let long = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await long.connect("long", keepAlive: 60) == 0)
            try await scenario.farEnd.mute(true)
            _ = try await short.closed()
            #expect(await !long.isClosed)
            await long.close()
        }
    }

    /// The uplink's own keep-alive keeps an idle connection open well beyond the idle timeout.
    @Test func anIdleDeviceIsKept() async throws {
        var options = Scenario.Options()
        options.uplink = ["idle_timeout: 12s", "keep_alive: 3s"]
        try await Scenario.run(options) { scenario in
            let observer = try await scenario.observer("up")
            let device = try await RawDevice.connect(port: scenario.bridge.port)
            #expect(try await device.connect("raw", keepAlive: 0) == 0)
            try await Task.sleep(for: .seconds(15))
            try await device.send(RawMQTT.publish("up", [0x61]))
            #expect(try await observer.message().text == "a")
            await device.close()
        }
    }
}
