import BridgeAdmin
import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The state of the program as an operator reads it on a terminal.
struct StatusText {
    let snapshot: StatusSnapshot
    /// Seconds since 1970-01-01T00:00:00Z.
    let now: Double
    /// How many of the things that went wrong lately are shown.
    var troubleLimit = 8

    var text: String {
        let status = snapshot.status
        let program = status.program
        var lines = [
            "mqtt-quic-bridge \(program.command) \(program.version), process \(program.processID), up for "
                + "\(Self.duration(now - program.startedAt))\(program.isDraining ? ", draining: no new devices" : "")"
        ]
        lines += uplink(status.uplink)
        lines.append(Self.line(status.program.command == "serve" ? "clients" : "devices", devices(status.devices)))
        lines += rates
        if !status.listen.isEmpty { lines.append(Self.line("listening", status.listen.joined(separator: ", "))) }
        lines += status.certificates.map { Self.line("certificate", certificate($0)) }
        lines += troubles
        return lines.map(\.printable).joined(separator: "\n") + "\n"
    }

    // MARK: - Parts

    private func uplink(_ uplink: StatusReport.Uplink) -> [String] {
        let state =
            switch uplink.state {
            case .up: "up"
            case .down: "DOWN"
            case .unknown: "not tried lately"
            }
        let way = ["quic": "QUIC", "tls": "TLS over TCP", "tcp": "TCP"][uplink.transport] ?? uplink.transport
        let mapping = uplink.mapping.map { " (\($0))" } ?? ""
        let connections = uplink.connections == 1 ? "1 connection" : "\(uplink.connections) connections"
        let first =
            "\(state) for \(Self.duration(now - uplink.since)), \(way)\(mapping) to \(uplink.endpoint), \(connections)"
        return [Self.line("broker", first)] + (uplink.problem.map { [Self.line("", $0)] } ?? [])
    }

    private func devices(_ counts: DeviceCounts) -> String {
        "\(counts.live) live, \(counts.held) held, \(counts.connecting) connecting, \(counts.ending) ending"
    }

    private var rates: [String] {
        guard let sample = snapshot.sample else { return [Self.line("rates", "not known yet")] }
        let rates =
            "\(Self.rate(sample.messagesUp)) messages/s up, \(Self.rate(sample.messagesDown)) down; "
            + "\(Self.bytes(sample.bytesUp))/s up, \(Self.bytes(sample.bytesDown))/s down"
        guard let median = sample.acknowledgementP50, let slow = sample.acknowledgementP99 else {
            return [Self.line("rates", rates)]
        }
        return [
            Self.line("rates", rates),
            Self.line("acknowledged", "in \(Self.seconds(median)) (median), \(Self.seconds(slow)) (99 of 100)"),
        ]
    }

    private func certificate(_ certificate: StatusReport.Certificate) -> String {
        let rest = certificate.expiresAt - now
        let until = Self.date(certificate.expiresAt).prefix(10)
        let when = rest < 0 ? "EXPIRED \(until)" : "valid until \(until), \(Self.duration(rest))"
        return "\(certificate.role): \(certificate.subject), \(when)"
    }

    private var troubles: [String] {
        guard !snapshot.troubles.isEmpty else { return [Self.line("troubles", "none")] }
        let shown = snapshot.troubles.prefix(troubleLimit).enumerated().map { index, trouble in
            let fields = trouble.fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            let count = trouble.count > 1 ? " (\(trouble.count) times)" : ""
            return Self.line(
                index == 0 ? "troubles" : "",
                "\(Self.date(trouble.time)) \(trouble.level) \(trouble.message)\(count)\(fields)")
        }
        let more = snapshot.troubles.count - shown.count
        return shown + (more > 0 ? [Self.line("", "and \(more) more")] : [])
    }

    // MARK: - Words

    private static func line(_ name: String, _ text: String) -> String {
        name.padded(to: 14) + text
    }

    /// The two largest units: `2 d 3 h`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        let total = Int(max(0, min(seconds, 1e12)))
        let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
        var rest = total
        var parts: [String] = []
        for (size, name) in units {
            let count = rest / size
            rest %= size
            if count > 0 || !parts.isEmpty || size == 1 { parts.append("\(count) \(name)") }
            if parts.count == 2 { break }
        }
        return parts.joined(separator: " ")
    }

    static func seconds(_ value: Double) -> String {
        value < 1 ? "\(tenths(value * 1_000)) ms" : "\(tenths(value)) s"
    }

    static func rate(_ value: Double) -> String { tenths(value) }

    static func bytes(_ value: Double) -> String {
        var value = value
        for unit in ["B", "kB", "MB"] {
            if value < 1_000 { return "\(unit == "B" ? "\(Int(value.rounded()))" : tenths(value)) \(unit)" }
            value /= 1_000
        }
        return "\(tenths(value)) GB"
    }

    private static func tenths(_ value: Double) -> String {
        value >= 100 ? "\(Int(value.rounded()))" : "\((value * 10).rounded() / 10)"
    }

    /// In the form of RFC 3339; what is beyond the year 9999 is cut, because it cannot be written so.
    static func date(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "?" }
        return Date(timeIntervalSince1970: min(max(0, seconds), 253_402_300_799)).formatted(.iso8601)
    }
}
