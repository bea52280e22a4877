extension ProbeStep {
    /// No path carries less in QUIC (RFC 9000 14).
    static let smallestDatagram = 1_200

    static func datagrams(_ datagrams: DatagramFinding, milliseconds: Double) -> ProbeStep {
        let isSmall = datagrams.bytes <= smallestDatagram
        return ProbeStep(
            .datagrams, .ok, milliseconds: milliseconds,
            "\(datagrams.bytes) bytes of UDP payload pass, of at most \(datagrams.limit)",
            details: datagrams.isFinal ? [] : ["larger ones may pass, too: the search takes long on this path"],
            warnings: isSmall && datagrams.isFinal
                ? [
                    "nothing larger than \(smallestDatagram) bytes was answered: is a tunnel on the way? QUIC works, but "
                        + "large messages need more datagrams"
                ] : [])
    }

    static func rebind(_ rebind: RebindFinding) -> ProbeStep {
        let ports =
            if let from = rebind.fromPort, let to = rebind.toPort { "from UDP port \(from) to \(to)" } else {
                "to another UDP port"
            }
        if let milliseconds = rebind.milliseconds {
            return ProbeStep(
                .rebind, .ok, milliseconds: milliseconds,
                "a change \(ports) was survived: \(rebind.proof.rawValue) answered")
        }
        return ProbeStep(
            .rebind, .warning, "a change \(ports) was not survived",
            warnings: [
                "\(rebind.proof.rawValue): \(rebind.problem ?? "no answer"); behind a NAT, devices will have to connect "
                    + "again, which the bridge does for them: is a load balancer on the way that goes by addresses?"
            ])
    }

    static func streams(_ streams: StreamsFinding) -> ProbeStep {
        let allowed = "\(Words.count(streams.allowed, "stream")) at once"
        let summary =
            switch streams.use {
            case .mux: "mux, \(allowed): each stream has its own MQTT session (mapping mux)"
            case .dataStreams:
                "data streams, \(allowed): they belong to one MQTT session (mappings connection, data-stream)"
            case .single: "single stream: one MQTT session per connection (mapping connection)"
            case .unknown: "\(allowed); whether they are of use is not known"
            }
        return ProbeStep(.streams, .ok, summary, details: streams.second.map { ["second stream: \($0)"] } ?? [])
    }

    /// - Parameter isTried: Whether a second connection was to be made with the ticket.
    static func tickets(_ tickets: TicketFinding, isTried: Bool) -> ProbeStep {
        guard tickets.hasTicket else {
            return ProbeStep(.tickets, .ok, "no session ticket: each handshake is a full one")
        }
        let lifetime = tickets.lifetime.map { ", valid for \(Words.span($0))" } ?? ""
        let ticket = "session ticket\(lifetime), \(tickets.allowsEarlyData ? "allows 0-RTT" : "without 0-RTT")"
        guard isTried else { return ProbeStep(.tickets, .ok, "\(ticket); not tried") }
        if let problem = tickets.problem {
            return ProbeStep(
                .tickets, .warning, ticket, warnings: ["a second connection with it failed: \(problem)"])
        }
        let early =
            tickets.isEarlyDataAccepted
            ? "0-RTT accepted" : tickets.allowsEarlyData ? "0-RTT not accepted" : "no 0-RTT"
        return ProbeStep(
            .tickets, .ok, milliseconds: tickets.milliseconds,
            "\(ticket); second handshake \(tickets.isResumed ? "resumed" : "in full"), \(early)",
            warnings: tickets.isResumed
                ? []
                : [
                    "the broker issued a ticket that it does not accept: does it share "
                        + "its ticket keys among its nodes?"
                ])
    }

    static func burst(_ burst: BurstFinding) -> ProbeStep {
        var warnings: [String] = []
        if burst.refused > 0 {
            warnings.append(
                "\(Words.count(burst.refused, "connection")) refused (0x2): the broker takes fewer at once; the bridge finds "
                    + "out how many, and tries again")
        }
        if burst.failed > 0 {
            warnings.append(
                "\(Words.count(burst.failed, "connection")) failed in another way, the first of them by: "
                    + (burst.problem ?? "an unknown reason"))
        }
        return ProbeStep(
            .burst, .ok, milliseconds: burst.milliseconds,
            "\(burst.accepted) of \(Words.count(burst.connections, "connection")) at once accepted", warnings: warnings)
    }

    static func fallback(_ fallback: FallbackFinding, isRequired: Bool) -> ProbeStep {
        guard let milliseconds = fallback.milliseconds else {
            let problem = fallback.problem ?? "no answer"
            let summary = "TCP port \(fallback.port): no MQTT over TLS"
            return isRequired
                ? ProbeStep(.fallback, .failed, summary, details: [problem])
                : ProbeStep(.fallback, .warning, summary, warnings: [problem])
        }
        return ProbeStep(
            .fallback, .ok, milliseconds: milliseconds, "TCP port \(fallback.port): TLS 1.3, certificate verified")
    }
}
