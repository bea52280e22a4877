import BridgeCore
import Testing

@testable import mqtt_quic_bridge

struct ComplianceTests {
    private static func lines(version: String) -> [String] {
        Compliance(transport: "QUIC, AES-256-GCM", verification: "broker.example, by ca.pem", version: version)
            .lines { "\($0): \($1)" }
    }

    @Test func tls13MeetsBothLevels() {
        #expect(
            Self.lines(version: "TLS 1.3") == [
                "NCSA level 1: met", "encrypted transport: yes (QUIC, AES-256-GCM)",
                "server verified: yes (broker.example, by ca.pem)", "NCSA level 2: met", "TLS 1.3: yes",
            ])
    }

    @Test(arguments: ["TLS 1.2", "TLS 1.30", "", "tls 1.3"])
    func anythingElseDoesNotMeetTheSecond(version: String) {
        let lines = Self.lines(version: version)
        #expect(lines.first == "NCSA level 1: met")
        #expect(lines.suffix(2) == ["NCSA level 2: not met", "TLS 1.3: no (\(version))"])
    }

    /// The fallback shows nothing of its handshake, but it allows nothing but TLS 1.3.
    @Test func theFallbackSaysWhatItAllows() {
        let text = ConnectCheck.render(
            UplinkFallback(host: "10.0.0.1", port: 8884, serverName: "broker.example"), .milliseconds(12))
        #expect(text.hasPrefix("connected to the fallback 10.0.0.1 port 8884\n"))
        #expect(text.contains("yes (TLS 1.3 over TCP)") && text.contains("yes (broker.example)"))
        #expect(text.contains("NCSA level 2: met"))
    }
}
