/// A way to the broker: one of its endpoints over QUIC, or the fallback over TLS and TCP. Ways are ordered, with the
/// one that the operator prefers first.
package enum UplinkWay: Sendable, Hashable, Comparable {
    /// An endpoint of `uplink.endpoints`, by its index.
    case quic(Int)
    /// `uplink.fallback`.
    case tls

    /// What a failed connection says about the way that it took.
    package enum Failure: Sendable, Hashable, CaseIterable {
        /// The handshake did not finish within the time that it has.
        case unanswered
        /// The network failed earlier than that.
        case network
        /// The server does not speak MQTT over QUIC.
        case alpnMismatch
        /// One of the two sides does not accept the other's certificate.
        case certificate
        /// The server is there, but accepts no connection now.
        case refused
        case other
    }
}
