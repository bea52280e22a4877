import BridgeCore

/// How long devices are made to wait for a broker, which none of them may notice: clients in the field give up on a CONNACK
/// after 10 s (ESP-MQTT), 15 s (PubSubClient) or 30 s (Paho for C and Java, MQTT.js).
extension UplinkConfiguration {
    /// Where there is another way.
    private static let usualPatience = Duration.seconds(5)
    /// What finding the way that works adds to `connect_timeout` at most: with the usual 5 s, 15 s in all. A device that
    /// has less patience comes again, and finds the way found.
    private static let longestDetour = Duration.seconds(10)

    /// There are ways besides the preferred one. Data streams exist over QUIC only.
    var hasAlternatives: Bool { endpoints.count > 1 || usableFallback != nil }

    var usableFallback: UplinkFallback? { mapping == .dataStream ? nil : fallback }

    /// From the broker's name to a verified broker, over QUIC. Where there is another way, that is tried then; else a
    /// little less than the session waits, so that the device hears the reason and not only that time ran out.
    var handshakeTimeout: Duration {
        if let fallback = usableFallback { return fallback.after }
        return endpoints.count > 1 ? min(connectTimeout, Self.usualPatience) : longestTimeout
    }

    /// The same over TLS.
    var fallbackTimeout: Duration { longestTimeout }

    private var longestTimeout: Duration { connectTimeout * 0.9 }

    /// What a session waits for its broker: `connect_timeout` on the way that works, and before that for it to be found.
    /// A first device behind a firewall that swallows UDP waits for one QUIC handshake (`fallback.after`).
    var sessionTimeout: Duration {
        let detour = hasAlternatives ? min(handshakeTimeout * 2, Self.longestDetour) : .zero
        return connectTimeout + detour
    }
}
