import BridgeCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension ServeMonitor {
    func metrics() async -> [MetricFamily] {
        let (status, statistics) = (await status(), await statistics())
        return [
            .devices(status.devices, mapping: nil),
            .bytes(up: statistics.bytesUp, down: statistics.bytesDown),
            .single(
                "clients", .gauge, "QUIC connections of clients now.", Double(statistics.openConnections)),
            .single(
                "clients_total", .counter, "QUIC connections of clients whose handshake completed.",
                Double(statistics.connections)),
            .labelled(
                "client_handshakes_failed_total", .counter, "Handshakes of clients that failed or were not finished.",
                "reason",
                ClientHandshakeFailure.allCases.map {
                    ($0.rawValue, Double(statistics.handshakeFailures[$0] ?? 0))
                }),
            .single(
                "client_early_data_accepted_total", .counter,
                "QUIC connections of clients whose early data (0-RTT) was accepted.",
                Double(statistics.earlyDataAccepted)),
            .labelled(
                "mqtt_messages_total", .counter, "PUBLISH packets from clients (up) and from the broker (down).",
                "direction", [("up", Double(statistics.messagesUp)), ("down", Double(statistics.messagesDown))]),
            .labelled(
                "clients_refused_total", .counter, "First datagrams of clients that were refused, by the limit.",
                "reason",
                ServeAdmission.Refusal.allCases.map { ($0.label, Double(statistics.refusals[$0] ?? 0)) }),
            .single(
                "client_retries_total", .counter, "Clients that were asked to prove their address by a Retry.",
                Double(statistics.retries)),
            .single("streams_total", .counter, "Streams that clients opened.", Double(statistics.streams)),
            .single(
                "sessions_total", .counter, "Streams for which a TCP connection to the broker was made.",
                Double(statistics.sessions)),
            .certificates(status.certificates, now: Date().timeIntervalSince1970),
        ] + MetricFamily.eventLoops + MetricFamily.uplink(status.uplink)
            + MetricFamily.quic(await state.census.quicFigures())
    }
}

extension ServeAdmission.Refusal {
    fileprivate var label: String {
        switch self {
        case .rate: "rate"
        case .connections: "connections"
        case .connectionsPerAddress: "connections_per_address"
        case .shuttingDown: "shutting_down"
        }
    }
}
