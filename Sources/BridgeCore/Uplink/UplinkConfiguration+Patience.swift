/// How long devices have to wait for a broker. They must not give up in that time: clients in the field give up on a
/// CONNACK after 10 s (ESP-MQTT), 15 s (PubSubClient) or 30 s (Paho for C and Java, MQTT.js).
extension UplinkConfiguration {
    /// How long a handshake may take if there is another way.
    private static let usualPatience = Duration.seconds(5)
    /// The most that finding a working way adds to `connect_timeout`: with the usual 5 s, that makes 15 s in all. A
    /// device that gives up sooner connects again when the way has been found.
    private static let longestDetour = Duration.seconds(10)

    /// Whether there are ways besides the preferred one. Data streams exist over QUIC only.
    package var hasAlternatives: Bool { endpoints.count > 1 || usableFallback != nil }

    /// The fallback, unless the mapping makes it impossible: data streams exist over QUIC only.
    package var usableFallback: UplinkFallback? { mapping == .dataStream ? nil : fallback }

    /// How long a handshake over QUIC may take, from the broker's name to a verified broker. If there is another way,
    /// it is tried after this time; otherwise this is a little less than the session waits, so that the device learns
    /// the reason and not only that time ran out.
    package var handshakeTimeout: Duration {
        if let fallback = usableFallback { return fallback.after }
        return endpoints.count > 1 ? min(connectTimeout, Self.usualPatience) : longestTimeout
    }

    /// How long making a connection over that way may take.
    package func handshakeTimeout(_ way: UplinkWay) -> Duration {
        switch way {
        case .quic: handshakeTimeout
        case .tls: longestTimeout
        }
    }

    private var longestTimeout: Duration { connectTimeout * 0.9 }

    /// How long a session waits for its broker: `connect_timeout` on the way that works, and before that the time to
    /// find it. A first device behind a firewall that drops UDP waits for one QUIC handshake (`fallback.after`).
    package var sessionTimeout: Duration {
        let detour = hasAlternatives ? min(handshakeTimeout * 2, Self.longestDetour) : .zero
        return connectTimeout + detour
    }

    /// The idle timeout of a connection for a device with that keepalive: longer than what MQTT allows the device, so
    /// that MQTT's keepalive expires first.
    ///
    /// - Parameter keepAlive: `nil` if the connection may be shared.
    package func idleTimeout(for keepAlive: Duration?) -> Duration {
        max(idleTimeout, keepAlive.map { $0 * 3 / 2 + .seconds(10) } ?? .zero)
    }
}
