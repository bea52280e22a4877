import Bridge
import BridgeCore
import BrokerProbe
import Logging
import QUICTransport

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `check --connect`: makes one QUIC handshake with the broker and reports what it showed.
enum ConnectCheck {
    /// The report for standard output. Throws the error if no connection could be made.
    static func run(_ uplink: UplinkConfiguration, logger: Logger) async throws -> String {
        render(try await UplinkProbe.run(uplink, logger: logger), uplink, now: Date())
    }

    static func render(_ report: UplinkReport, _ uplink: UplinkConfiguration, now: Date) -> String {
        let name = uplink.endpoints[0].certificateName
        var lines = [
            "connected to \(report.address)",
            row("handshake", milliseconds(report.handshake)),
            row("round trip", milliseconds(report.statistics.smoothedRTT)),
            row("TLS", "\(report.tls.version), \(report.tls.cipher), \(report.tls.group)"),
            row("ALPN", report.alpn),
            row("MTU", "\(report.statistics.datagramSize) bytes of UDP payload"),
        ]
        let chain = ChainFinding(report.tls.peerCertificates, problem: nil, now: Int64(now.timeIntervalSince1970))
        for (index, certificate) in chain.certificates.enumerated() {
            lines.append(row("certificate \(index + 1)", certificate.subject.printable))
            lines += certificate.details.map { row("", $0.printable) }
        }
        let compliance = Compliance(
            transport: "QUIC, \(report.tls.cipher)", verification: "\(name), by \(uplink.caFile)",
            version: report.tls.version)
        return (lines + compliance.lines(row)).joined(separator: "\n")
    }

    /// The report about the fallback. Its TLS version is not measured, because the fallback allows only TLS 1.3.
    static func render(_ fallback: UplinkFallback, _ handshake: Duration) -> String {
        let compliance = Compliance(
            transport: "TLS 1.3 over TCP", verification: fallback.certificateName, version: Compliance.modern)
        let lines = [
            "connected to the fallback \(fallback.host) port \(fallback.port)",
            row("handshake", milliseconds(handshake)),
        ]
        return (lines + compliance.lines(row)).joined(separator: "\n")
    }

    private static func row(_ name: String, _ value: String) -> String {
        "  " + name.padded(to: 21) + value
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        return "\((Double(microseconds) / 1_000).text(decimals: 1)) ms"
    }
}
