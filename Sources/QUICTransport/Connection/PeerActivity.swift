import CNGTCP2
import NIOCore

/// When datagrams were exchanged last: whether the peer still answers.
struct PeerActivity {
    private(set) var unansweredSince: NIODeadline?
    private(set) var lastReceived: NIODeadline
    /// When the last datagram went out that the peer has to answer.
    private(set) var lastSent: NIODeadline?
    /// How many probe timeouts have passed since ``unansweredSince``, each twice as long as the one before.
    private var unansweredProbes: UInt8 = 0

    init(now: NIODeadline) {
        lastReceived = now
    }

    mutating func received(at now: NIODeadline) {
        lastReceived = now
        unansweredSince = nil
        unansweredProbes = 0
    }

    /// Whether another probe timeout has passed without an answer.
    mutating func isProbeDue(after timeout: () -> Duration, at now: NIODeadline) -> Bool {
        guard let since = unansweredSince, unansweredProbes < 20 else { return false }
        // 1, 3, 7, ... of them from the beginning.
        let timeouts = (Int64(2) << Int64(unansweredProbes)) - 1
        guard now >= since + TimeAmount(timeout()) * timeouts else { return false }
        unansweredProbes += 1
        return true
    }

    /// A datagram went out that the peer has to answer.
    mutating func sent(at now: NIODeadline) {
        lastSent = now
        if unansweredSince == nil { unansweredSince = now }
    }
}

extension QUICConnection {
    /// When the first datagram went out that is still unanswered. The peer has to answer at once, or within its
    /// `max_ack_delay`, and none of its datagrams has come since. `nil` if no answer is awaited. Probes of path MTU
    /// discovery do not count, because they may be too large to arrive.
    package var unansweredSince: NIODeadline? { activity.unansweredSince }

    /// When the last datagram came that only the peer can have sent, or when the connection began if there was none.
    package var lastReceived: NIODeadline { activity.lastReceived }
    /// When the last datagram was sent that the peer has to answer; `nil` before the first.
    package var lastSent: NIODeadline? { activity.lastSent }

    /// How long an answer may take at most, judging by the round trips so far (RFC 9002 6.2.1, without backoff).
    package var probeTimeout: Duration { .nanoseconds(Int64(clamping: bridge_quic_pto(handle))) }
}
