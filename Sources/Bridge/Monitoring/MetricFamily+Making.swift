import BridgeCore
import QUICTransport

// Families that `run` and `serve` both have, and shorter ways to write them down.
extension MetricFamily {
    static let prefix = "mqtt_quic_bridge_"

    /// A family with one series.
    static func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(prefix + name, kind, help, [Sample(.number(value))])
    }

    /// A family with one label.
    static func labelled(
        _ name: String, _ kind: Kind, _ help: String, _ label: String, _ values: [(String, Double)]
    ) -> MetricFamily {
        MetricFamily(prefix + name, kind, help, values.map { Sample(.number($1), [Label(label, $0)]) })
    }

    static func histogram(_ name: String, _ help: String, _ value: DurationHistogram) -> MetricFamily {
        MetricFamily(prefix + name, .histogram, help, [Sample(.histogram(value))])
    }

    /// - Parameter mapping: `nil` for `serve`, which has none.
    static func devices(_ counts: DeviceCounts, mapping: String?) -> MetricFamily {
        MetricFamily(
            prefix + "devices", .gauge, "Devices by what they are doing now.",
            DeviceState.allCases.map { state in
                let labels = [Label("state", state.rawValue)] + (mapping.map { [Label("mapping", $0)] } ?? [])
                return Sample(.number(Double(counts[state])), labels)
            })
    }

    /// The smallest, the largest and the mean value of all connections.
    static func spread(_ name: String, _ help: String, _ value: Spread) -> MetricFamily {
        labelled(name, .gauge, help, "stat", value.named.map { ($0.name, $0.value) })
    }

    static func quic(_ figures: QUICFigures) -> [MetricFamily] {
        let traffic = figures.traffic
        return [
            spread(
                "quic_round_trip_seconds", "Smoothed round-trip times of the QUIC connections now.", figures.roundTrip),
            spread(
                "quic_congestion_window_bytes", "Congestion windows of the QUIC connections now.",
                figures.congestionWindow),
            spread(
                "quic_datagram_size_bytes", "Largest UDP payloads that the paths of the QUIC connections carry now.",
                figures.datagramSize),
            single(
                "quic_packets_lost_total", .counter, "QUIC packets with stream data that were declared lost.",
                Double(figures.packetsLost)),
            single(
                "quic_probe_timeouts_total", .counter,
                "How often nothing came on a QUIC connection for a probe timeout while an answer was awaited.",
                Double(figures.probeTimeouts)),
            single(
                "quic_path_changes_total", .counter, "How often QUIC connections have moved to another path.",
                Double(traffic.pathChanges)),
            labelled(
                "quic_datagrams_total", .counter, "UDP datagrams of QUIC.", "direction",
                [("sent", Double(traffic.datagramsSent)), ("received", Double(traffic.datagramsReceived))]),
            labelled(
                "quic_system_calls_total", .counter, "System calls by which the datagrams were sent and received.",
                "direction", [("sent", Double(traffic.sendCalls)), ("received", Double(traffic.receiveCalls))]),
        ]
    }

    static func bytes(up: UInt64, down: UInt64) -> MetricFamily {
        labelled(
            "mqtt_bytes_total", .counter, "Bytes of MQTT from devices (up) and to them (down).", "direction",
            [("up", Double(up)), ("down", Double(down))])
    }

    static func uplink(_ status: StatusReport.Uplink) -> [MetricFamily] {
        [
            single(
                "uplink_up", .gauge,
                "1 if the broker can be reached and takes devices as far as is known, otherwise 0.",
                status.state == .up ? 1 : 0),
            single("uplink_connections", .gauge, "Connections to the broker now.", Double(status.connections)),
            MetricFamily(
                prefix + "uplink_way", .gauge, "1 for the way that new connections to the broker take.",
                [Sample(.number(1), [Label("transport", status.transport), Label("endpoint", status.endpoint)])]),
        ]
    }

    static func certificates(_ all: [StatusReport.Certificate], now: Double) -> MetricFamily {
        labelled(
            "certificate_expiry_seconds", .gauge,
            "Seconds until a certificate in use expires; negative if it has expired.", "role",
            all.map { ($0.role, $0.expiresAt - now) })
    }

    /// What the event loops of the process did.
    static var eventLoops: [MetricFamily] {
        [
            single(
                "timer_firings_total", .counter, "How often timers of the event loops were woken.",
                Double(TimerFirings.total)),
            single(
                "gather_waits_total", .counter, "How often event loops waited for more to carry (gather_delay).",
                Double(GatherWaits.total)),
        ]
    }
}
