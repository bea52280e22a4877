/// The congestion control algorithm of QUIC connections.
package enum CongestionControl: String, Sendable, CaseIterable {
    case cubic, bbr
}
