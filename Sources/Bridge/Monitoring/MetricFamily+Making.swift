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

    static func devices(_ counts: DeviceCounts) -> MetricFamily {
        labelled(
            "devices", .gauge, "Devices by what they are doing now.", "state",
            DeviceState.allCases.map { ($0.rawValue, Double(counts[$0])) })
    }

    static func bytes(up: UInt64, down: UInt64) -> MetricFamily {
        labelled(
            "mqtt_bytes_total", .counter, "Bytes of MQTT from devices (up) and to them (down).", "direction",
            [("up", Double(up)), ("down", Double(down))])
    }

    static func uplink(_ status: StatusReport.Uplink) -> [MetricFamily] {
        [
            single(
                "uplink_up", .gauge, "1 if the broker can be reached as far as is known, otherwise 0.",
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

    static var timerFirings: MetricFamily {
        single(
            "timer_firings_total", .counter, "How often timers of the event loops were woken.",
            Double(TimerFirings.total))
    }
}
