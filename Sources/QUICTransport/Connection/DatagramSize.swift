import NIOCore

/// Keeps datagrams small where a path that took large ones has begun to swallow them (RFC 8899 4.3), as when a route or
/// a tunnel changes. ngtcp2 finds out what a path takes, but does not ask again.
struct DatagramSize {
    /// What every path that carries QUIC takes (RFC 9000 14).
    static let base = 1200
    /// How long datagrams stay small before what the path took once is tried again (PMTU_RAISE_TIMER, RFC 8899 5.1.1).
    static let raiseInterval = TimeAmount.seconds(600)

    /// Datagrams are no larger than `base` until then.
    private(set) var raisesAt: NIODeadline?
    /// A larger datagram than `base` went out that has to be answered, and nothing has come since.
    var hasUnansweredLarge = false
    /// A larger datagram than `base` went out since streams were looked at last.
    var hasSentLarge = false
    /// When to look at streams that make no progress.
    var nextLook: NIODeadline?

    /// - Parameter capacity: what is allowed where the path takes it.
    mutating func limit(of capacity: Int, at now: NIODeadline) -> Int {
        guard let raisesAt else { return capacity }
        if now >= raisesAt {
            self.raisesAt = nil
            return capacity
        }
        return min(capacity, Self.base)
    }

    mutating func sent(_ length: Int) {
        guard length > Self.base else { return }
        hasUnansweredLarge = true
        hasSentLarge = true
    }

    mutating func fallBack(at now: NIODeadline) {
        raisesAt = now + Self.raiseInterval
        hasUnansweredLarge = false
        hasSentLarge = false
    }

    /// It is another path now, on which ngtcp2 begins anew.
    mutating func pathChanged() {
        self = DatagramSize()
    }
}

extension QUICConnection {
    /// To be called when a deadline has passed. Two probe timeouts in a row without any answer, the second after twice
    /// the time (RFC 9002 6.2.1): large datagrams may be why, and small ones are worth trying where they are not.
    func suspectDatagramSize(at now: NIODeadline) {
        guard datagramSize.hasUnansweredLarge, let since = unansweredSince else { return }
        if now >= since + threeProbeTimeouts {
            datagramSize.fallBack(at: now)
        }
    }

    /// To be called when a datagram has come: small ones get through, and a stream that makes no progress beside them may
    /// have its bytes in large ones only.
    func lookForStuckStreams(at now: NIODeadline) {
        guard datagramSize.hasSentLarge else { return }
        guard let nextLook = datagramSize.nextLook else {
            datagramSize.nextLook = now + stuckAfter
            return
        }
        guard now >= nextLook else { return }
        datagramSize.nextLook = now + stuckAfter
        datagramSize.hasSentLarge = false
        var isStuck = false
        for stream in streams.values where stream.hasMadeNoProgress() { isStuck = true }
        if isStuck { datagramSize.fallBack(at: now) }
    }

    private var stuckAfter: TimeAmount { max(threeProbeTimeouts, .seconds(1)) }
}
