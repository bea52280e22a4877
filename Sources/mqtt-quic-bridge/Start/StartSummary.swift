import BridgeCore

/// What somebody who starts the program on a terminal wants to know at a glance.
struct StartSummary {
    private let title: String
    private var lines: [(name: String, text: String)] = []
    /// What the program does next about the broker.
    let outlook: String

    /// - Parameters:
    ///   - arrivals: Who comes to the addresses: `devices` or `clients`.
    ///   - listening: The addresses with the ports that the system chose.
    ///   - connectsAhead: Whether the broker is connected to before anybody comes.
    init(_ command: String, _ arrivals: String, listening: [String], connectsAhead: Bool) {
        title = "mqtt-quic-bridge \(Version.current) \(command)"
        outlook =
            connectsAhead
            ? "Waiting for the broker to answer ..."
            : "The broker will be connected to when the first \(arrivals) come."
        add("\(arrivals) connect to", listening.joined(separator: ", "))
    }

    mutating func add(_ name: String, _ text: String) { lines.append((name, text)) }

    mutating func add(_ certificates: [StatusReport.Certificate], _ admin: AdminConfiguration) {
        for certificate in certificates {
            let seconds = min(max(certificate.expiresAt, 0), 253_402_300_799)
            let day = "\(Timestamp(milliseconds: Int64(seconds) * 1_000))".prefix(10)
            add("\(certificate.role) certificate", "until \(day), \(certificate.subject.quotedForMessage(limit: 100))")
        }
        add("status page", admin.listen.map { "http://\($0.name)/" } ?? "off")
    }

    /// Several lines, each with its end.
    var text: String {
        let width = lines.map(\.name.count).max() ?? 0
        let rows = lines.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.text)\n" }
        return title + "\n" + rows.joined()
    }
}

/// The configuration of a command that can be summed up.
protocol Summarized: Sendable {
    func summary(listening: [String], status: StatusReport) -> StartSummary
}

extension BridgeConfiguration: Summarized {
    func summary(listening: [String], status: StatusReport) -> StartSummary {
        var summary = StartSummary("run", "devices", listening: listening, connectsAhead: uplink.warm > 0)
        let endpoints = uplink.endpoints.map { "\($0.host):\($0.port)" }.joined(separator: ", then ")
        summary.add("broker", "\(endpoints) over QUIC, mapping \(uplink.mapping.rawValue)")
        summary.add("fallback", uplink.fallback.map { "\($0.host):\($0.port) over TLS" } ?? "none")
        let rest = "what none of them matches: \(unrouted.rawValue)"
        summary.add("routes", routes.isEmpty ? "none, all topics pass unchanged" : "\(routes.count), \(rest)")
        summary.add(status.certificates, admin)
        return summary
    }
}

extension ServeConfiguration: Summarized {
    func summary(listening: [String], status: StatusReport) -> StartSummary {
        var summary = StartSummary("serve", "clients", listening: listening, connectsAhead: false)
        summary.add("broker", "\(status.uplink.endpoint) over TCP")
        summary.add(status.certificates, admin)
        return summary
    }
}
