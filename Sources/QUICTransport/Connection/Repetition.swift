import CNGTCP2
import NIOCore

/// The copy of a datagram that goes out twice.
///
/// Data that is lost again costs another round trip and a half at least, and everything behind it on its stream waits as
/// long. At a loss of 5 %, that happens to one message of 400; with a copy of each retransmission, to one of 8000. The
/// copies cost about as many datagrams as are lost. Congestion control does not see them, so there are none of datagrams
/// that are full: whoever sends those wants throughput, and may cause the loss.
struct Repetition {
    /// What has to follow the last datagram.
    var copy: ByteBuffer?
    /// The peer's address at which it has shown that it receives. What may be sent to another one is limited (RFC 9000
    /// 8), and copies do not count towards that limit.
    var validated: SocketAddress?
    private var lastResent: (bytes: UInt64, at: NIODeadline) = (0, .distantPast)

    /// Whether a datagram with data of streams may have to be followed by its copy.
    static func isCandidate(_ written: bridge_quic_written, _ rule: QUICConfiguration.SendTwice) -> Bool {
        rule != .never && (written.resent_bytes > 0 || isSmall(written, rule))
    }

    private static func isSmall(_ written: bridge_quic_written, _ rule: QUICConfiguration.SendTwice) -> Bool {
        rule == .small && written.length <= QUICConfiguration.smallDatagram
    }

    /// Decides about a candidate that goes to the validated address.
    mutating func repeats(
        _ written: bridge_quic_written, _ rule: QUICConfiguration.SendTwice, at now: NIODeadline
    ) -> Bool {
        resends(written, at: now) || Self.isSmall(written, rule)
    }

    /// Whether the datagram has data that was sent before, and is not the second one of a pair: ngtcp2 sends probes in
    /// twos (RFC 9002 6.2.4), both with the same data.
    private mutating func resends(_ written: bridge_quic_written, at now: NIODeadline) -> Bool {
        guard written.resent_bytes > 0, written.length < DatagramSize.base else { return false }
        let previous = lastResent
        lastResent = (written.resent_bytes, now)
        return previous != lastResent
    }
}
