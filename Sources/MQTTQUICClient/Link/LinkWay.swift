/// A way to the broker.
enum LinkWay: Sendable, Hashable {
    case quic
    /// MQTT over TLS over TCP.
    case tls
}
