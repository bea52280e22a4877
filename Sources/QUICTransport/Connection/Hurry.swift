import CNGTCP2
import NIOCore

/// A request to send something at once that the peer has to answer, made when the network may be back.
///
/// The probe timeout doubles for as long as nothing is answered (RFC 9002 6.2.1), and a full congestion window holds
/// everything back but probes. Left alone, a connection takes another half minute to notice the end of an outage of
/// half a minute.
struct Hurry {
    /// Each step handles one of ngtcp2's deadlines. All but a few of those are the probe timer's.
    private static let steps = 8
    private static let interval = TimeAmount.milliseconds(100)

    /// How many steps are left; 0 once something was sent, or while the hurry waits for `resumesAt`.
    private var stepsLeft = 0
    private var notBefore: NIODeadline?
    /// When a hurry that has to wait continues.
    private(set) var resumesAt: NIODeadline?

    var isUnderWay: Bool { stepsLeft > 0 }

    /// Something was sent or received, which is all that the hurry was for.
    mutating func end() {
        stepsLeft = 0
        resumesAt = nil
    }

    fileprivate mutating func begin(at now: NIODeadline) {
        guard notBefore.map({ now >= $0 }) ?? true else { return }
        notBefore = now + Self.interval
        stepsLeft = Self.steps
        resumesAt = nil
    }

    fileprivate mutating func step() {
        stepsLeft -= 1
    }

    fileprivate mutating func pause(until deadline: NIODeadline) {
        resumesAt = deadline
        stepsLeft = 0
    }

    fileprivate mutating func giveUp() {
        stepsLeft = 0
    }

    mutating func resumeIfDue(at now: NIODeadline) {
        guard let resumesAt, now >= resumesAt else { return }
        self.resumesAt = nil
        stepsLeft = Self.steps
    }
}

extension QUICConnection {
    /// Has the next `nextDatagram` send something that the peer has to answer, whatever the backoff of the probe timer:
    /// new data, a PING, or, if the congestion window is full, what is unacknowledged, once more. Call this when there
    /// is reason to believe that the network is back or has changed.
    ///
    /// Does nothing before the handshake is confirmed, or if the last call was less than 100 ms ago. With a full
    /// congestion window it takes effect one probe timeout after the last datagram, unless something is received
    /// meanwhile, and not if the idle timeout is too near: ngtcp2 has no call for this, so the connection's own time
    /// has to run ahead to its next probe.
    package func hurry(at now: NIODeadline) {
        guard isOpen, isHandshakeConfirmed else { return }
        pendingHurry.begin(at: now)
    }

    /// The next datagram while a hurry is under way.
    func hurriedDatagram(into space: UnsafeMutableRawBufferPointer, at now: NIODeadline) -> Int {
        while pendingHurry.isUnderWay {
            let length = ordinaryDatagram(into: space, at: now)
            if length > 0 { return length }
            guard isOpen, hurryStep(at: now) else { return 0 }
        }
        return ordinaryDatagram(into: space, at: now)
    }

    /// Makes ngtcp2 ready to send something.
    /// - Returns: Whether it is worth asking for a datagram now.
    private func hurryStep(at now: NIODeadline) -> Bool {
        pendingHurry.step()
        suspectDatagramSize(at: now)
        guard bridge_quic_is_window_full(handle) else {
            let pauseEnd = NIODeadline.uptimeNanoseconds(bridge_quic_pause_end(handle))
            guard pauseEnd <= now else {
                // Pacing after the last datagrams holds even a PING back.
                pendingHurry.pause(until: pauseEnd)
                return false
            }
            bridge_quic_ping(handle, now.nanoseconds)
            return true
        }
        let patience = TimeAmount(probeTimeout)
        // An answer to what is under way may still come. It would then give a wrong round trip.
        if let lastSent = activity.lastSent, now < lastSent + patience {
            pendingHurry.pause(until: lastSent + patience)
            return false
        }
        var status = bridge_quic_status.ok
        let reserve = UInt64(max(threeProbeTimeouts, .seconds(1)).nanoseconds)
        guard bridge_quic_run_ahead(handle, reserve, now.nanoseconds, &status) else {
            pendingHurry.giveUp()
            return false
        }
        settle(status, operation: "handling a deadline", at: now)
        return true
    }
}
