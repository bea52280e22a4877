import BridgeConfig
import BridgeCore
import BrokerProbe
import Foundation
import Testing

@testable import mqtt_quic_bridge

/// A probe as text, as JSON and as a configuration.
struct ProbeReportTests {
    private static func report(
        alpn: String = "mqtt", milliseconds: Double = 20, use: StreamsFinding.Use? = .single,
        fallback: FallbackFinding? = nil
    ) -> ProbeReport {
        var report = ProbeReport(
            target: .init(host: "broker.test", port: 14567, serverName: "broker.test", caFile: "ca.pem"))
        report.addresses = ["192.0.2.1"]
        report.handshake = HandshakeFinding(
            address: "192.0.2.1:14567", milliseconds: milliseconds, roundTripMilliseconds: 5, tlsVersion: "TLS 1.3",
            cipher: "AES-128-GCM", group: "X25519", alpn: alpn, alpnOffered: ["mqtt-mux", "mqtt"])
        report.parameters = ParametersFinding(
            idleTimeoutMilliseconds: 0, maxUDPPayloadSize: 1_472, initialMaxData: 1, initialMaxStreamData: 2,
            initialMaxStreamsBidi: 10, initialMaxStreamsUni: 1, maxAckDelayMilliseconds: 26, activeConnectionIDLimit: 4)
        report.session = SessionFinding(
            version: "5.0", clientID: "probe1", isClientIDGiven: false, isUsernameGiven: false, milliseconds: 3)
        report.streams = use.map { StreamsFinding(use: $0, allowed: 10) }
        report.fallback = fallback
        report.steps = [ProbeStep(.resolve, .ok, milliseconds: 1, "192.0.2.1")]
        return report
    }

    // MARK: - The configuration

    private static func load(_ report: ProbeReport, _ change: (inout ProbeOptions) -> Void = { _ in }) throws
        -> (configuration: BridgeConfiguration, yaml: String)
    {
        let folder = FileManager.default.temporaryDirectory.appending(path: "probe \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, label) in [("ca.pem", "CERTIFICATE"), ("client.pem", "CERTIFICATE"), ("client.key", "PRIVATE KEY")] {
            let text = "-----BEGIN \(label)-----\nMAA=\n-----END \(label)-----\n"
            let file = folder.appending(path: name).path
            #expect(
                FileManager.default.createFile(
                    atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        }
        var options = ProbeOptions(host: "broker.test", caFile: "\(folder.path)/ca.pem")
        options.clientCertificateFile = "\(folder.path)/client.pem"
        options.clientKeyFile = "\(folder.path)/client.key"
        change(&options)
        let yaml = try #require(ConfigurationAdvice(options: options, report: report).yaml)
        let loaded = try ConfigurationLoader.load(.run, text: yaml)
        #expect(loaded.warnings == [], "\(yaml)")
        #expect(loaded.configuration.uplink.caFile == options.caFile)
        return (loaded.configuration, yaml)
    }

    @Test(
        arguments: [
            (.mux, .mux), (.dataStreams, .connection), (.single, .connection),
            (.unknown, .connection), (nil, .connection),
        ] as [(StreamsFinding.Use?, UplinkConfiguration.Mapping)])
    func theBridgeTakesWhatIsAdvised(use: StreamsFinding.Use?, mapping: UplinkConfiguration.Mapping) throws {
        let alpn = use == .mux ? "mqtt-mux" : "mqtt"
        let (configuration, _) = try Self.load(Self.report(alpn: alpn, use: use))
        #expect(configuration.uplink.mapping == mapping)
        #expect(configuration.uplink.host == "broker.test" && configuration.uplink.port == 14567)
        #expect(configuration.uplink.fallback == nil && configuration.uplink.connectTimeout == .seconds(5))
    }

    @Test func everythingThatIsKnownIsAdvised() throws {
        let report = Self.report(milliseconds: 2_100, fallback: .init(port: 8884, milliseconds: 30))
        let (configuration, yaml) = try Self.load(report) {
            ($0.host, $0.port, $0.serverName) = ("2001:db8::7", 4_567, "broker.test")
        }
        let uplink = configuration.uplink
        #expect(uplink.host == "2001:db8::7" && uplink.port == 4_567 && uplink.serverName == "broker.test")
        #expect(uplink.fallback?.port == 8884)
        #expect(uplink.connectTimeout == .seconds(10))
        #expect(uplink.clientCertificateFile?.hasSuffix("client.pem") == true)
        #expect(yaml.contains("The handshake took 2.1 s."))
    }

    @Test func aSlowHandshakeGetsNoMoreTimeThanThereIs() throws {
        #expect(try Self.load(Self.report(milliseconds: 59_000)).configuration.uplink.connectTimeout == .seconds(60))
    }

    /// The key `alpn` is for other names than those of the mappings.
    @Test func anotherProtocolIsNamed() throws {
        #expect(try Self.load(Self.report(alpn: "mqtt/quic")).configuration.uplink.alpn == ["mqtt/quic"])
    }

    @Test func aFallbackThatIsClosedIsOnlyAComment() throws {
        let (configuration, yaml) = try Self.load(Self.report(fallback: .init(port: 8884, problem: "refused")))
        #expect(configuration.uplink.fallback == nil && yaml.contains("TCP port 8884"))
    }

    @Test func withoutAHandshakeNothingIsAdvised() {
        var report = Self.report()
        report.handshake = nil
        let options = ProbeOptions(host: "a", caFile: "b")
        #expect(ConfigurationAdvice(options: options, report: report).yaml == nil)
    }

    // MARK: - Text

    @Test func aStepIsOneLineWithItsDetailsBelow() {
        let step = ProbeStep(
            .connect, .ok, milliseconds: 3.14, "accepted", details: ["one"], warnings: ["odd \u{1B}[2J"])
        #expect(
            ProbeText.text(step) == """
                warning  connect      3.1 ms     accepted
                                                 one
                                                 warning: odd \\u{1B}[2J

                """)
        #expect(ProbeText.text(ProbeStep(.burst, .skipped, "not asked for")).hasPrefix("skipped  burst  "))
    }

    @Test func theResultNamesTheExitCode() {
        var report = Self.report()
        #expect(ProbeText.footer(report, configuration: "x: y\n") == "\nresult: the broker can be used\n\nx: y\n")
        report.failure = ProbeFailure(.name, "gone")
        let text = ProbeText.footer(report, configuration: nil)
        #expect(text == "\nresult: the host name was not found (exit code 68)\n")
    }

    // MARK: - JSON

    @Test func theDocumentHasAllFindings() throws {
        let text = try ProbeDocument(report: Self.report(), configuration: "x: y\n").json()
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(
            Set(document.keys) == [
                "addresses", "configuration", "handshake", "parameters", "result", "session", "steps", "streams",
                "target",
            ])
        let result = try #require(document["result"] as? [String: Any])
        #expect(result["ok"] as? Bool == true && result["exit_code"] as? Int == 0 && result.count == 2)
        let parameters = try #require(document["parameters"] as? [String: Any])
        #expect(parameters["initial_max_streams_bidi"] as? Int == 10)
        #expect(parameters["max_udp_payload_size"] as? Int == 1_472)
        let steps = try #require(document["steps"] as? [[String: Any]])
        #expect(steps.first?["name"] as? String == "resolve" && steps.first?["outcome"] as? String == "ok")
    }

    @Test func theDocumentSaysWhyTheBrokerCannotBeUsed() throws {
        var report = Self.report()
        report.failure = ProbeFailure(.refused, "CONNACK 0x87")
        let text = try ProbeDocument(report: report, configuration: nil).json()
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let result = try #require(document["result"] as? [String: Any])
        #expect(result["failure"] as? String == "refused" && result["exit_code"] as? Int == 77)
        #expect(result["reason"] as? String == "CONNACK 0x87" && document["configuration"] == nil)
    }
}
