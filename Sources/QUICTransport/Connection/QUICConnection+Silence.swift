import CNGTCP2
import NIOCore

/// Whether the peer still answers, and how to find out soon once the network is back.
///
/// The probe timeout doubles for as long as nothing is answered (RFC 9002 6.2.1), and a full congestion window keeps back
/// everything but probes: after an outage of half a minute a connection left alone needs another half to notice its end.
struct Silence {
    /// Steps of one `hurry`: each handles one deadline of ngtcp2's, of which only a few are not the probe's.
    static let stepsOfHurry = 8
    static let hurryInterval = TimeAmount.milliseconds(100)

    var unansweredSince: NIODeadline?
    var lastReceived: NIODeadline
    var lastSent: NIODeadline?
    /// Left of a `hurry` that has not yet had anything sent.
    var hurrySteps = 0
    var mayHurryAgain: NIODeadline?
    /// A hurry waits for this.
    var hurryIsDue: NIODeadline?

    init(now: NIODeadline) {
        lastReceived = now
    }

    mutating func received(at now: NIODeadline) {
        lastReceived = now
        unansweredSince = nil
        // An answer is what it was about.
        hurrySteps = 0
        hurryIsDue = nil
    }

    /// A datagram went out that the peer has to answer.
    mutating func sent(at now: NIODeadline) {
        lastSent = now
        hurrySteps = 0
        hurryIsDue = nil
        if unansweredSince == nil { unansweredSince = now }
    }
}

extension QUICConnection {
    /// When the first datagram went out that nothing has answered: none of the peer's has come since, although it has to
    /// answer at once, or within its `max_ack_delay`. Nil: nothing waits for an answer. Probes of path MTU discovery,
    /// which may be too large to arrive, do not count.
    package var unansweredSince: NIODeadline? { silence.unansweredSince }

    /// When the last datagram came that only the peer can have sent; before that, when the connection began.
    package var lastReceived: NIODeadline { silence.lastReceived }

    /// How long an answer may take at most, as far as the round trips so far tell (RFC 9002 6.2.1, without backoff).
    package var probeTimeout: Duration { .nanoseconds(Int64(clamping: bridge_quic_pto(handle))) }

    /// Has something sent at the next `nextDatagram` that the peer has to answer, whatever the backoff of the probe
    /// timer: new data or a PING, or, where the congestion window is full, what is unacknowledged once more. To be
    /// called when there is reason to believe that the network is back, or is another.
    ///
    /// Heeded every 100 ms at most, and only once the handshake is confirmed. With a full window it takes effect one
    /// probe timeout after the last datagram, if nothing comes meanwhile, and not where that would be too near to the
    /// idle timeout: ngtcp2 has no call for it, so that the connection's own time has to run ahead to its next probe.
    package func hurry(at now: NIODeadline) {
        guard case .open = phase, isHandshakeConfirmed else { return }
        guard silence.mayHurryAgain.map({ now >= $0 }) ?? true else { return }
        silence.mayHurryAgain = now + Silence.hurryInterval
        silence.hurrySteps = Silence.stepsOfHurry
        silence.hurryIsDue = nil
    }

    /// The next datagram while a hurry has not yet had anything sent that has to be answered.
    func hurriedDatagram(at now: NIODeadline) -> QUICDatagram? {
        while silence.hurrySteps > 0 {
            if let datagram = ordinaryDatagram(at: now) { return datagram }
            guard case .open = phase, hurryStep(at: now) else { return nil }
        }
        return ordinaryDatagram(at: now)
    }

    private func hurryStep(at now: NIODeadline) -> Bool {
        silence.hurrySteps -= 1
        suspectDatagramSize(at: now)
        guard bridge_quic_is_window_full(handle) else {
            let pauseEnd = NIODeadline.uptimeNanoseconds(bridge_quic_pause_end(handle))
            guard pauseEnd <= now else {
                // What went out only just before keeps even a PING back.
                silence.hurryIsDue = pauseEnd
                silence.hurrySteps = 0
                return false
            }
            bridge_quic_ping(handle, now.nanoseconds)
            return true
        }
        let patience = TimeAmount(probeTimeout)
        // What is under way may be answered yet, and the round trip would be reckoned wrong.
        if let lastSent = silence.lastSent, now < lastSent + patience {
            silence.hurryIsDue = lastSent + patience
            silence.hurrySteps = 0
            return false
        }
        var status = bridge_quic_status.ok
        let reserve = UInt64(max(threeProbeTimeouts, .seconds(1)).nanoseconds)
        guard bridge_quic_run_ahead(handle, reserve, now.nanoseconds, &status) else {
            silence.hurrySteps = 0
            return false
        }
        settle(status, operation: "handling a deadline", at: now)
        return true
    }

    /// A hurry that had to wait.
    func resumeHurry(at now: NIODeadline) {
        guard let due = silence.hurryIsDue, now >= due else { return }
        silence.hurryIsDue = nil
        silence.hurrySteps = Silence.stepsOfHurry
    }
}
