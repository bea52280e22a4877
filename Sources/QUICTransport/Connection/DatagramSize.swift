import NIOCore

/// Keeps datagrams small if a path that carried large ones begins to swallow them (RFC 8899 4.3), for example because a
/// route or a tunnel has changed. ngtcp2 finds out how much a path carries, but does not check again later.
struct DatagramSize {
    /// The size in bytes that every path must carry for QUIC to work (RFC 9000 14).
    static let base = 1200
    /// How long datagrams stay small before larger ones are tried again (PMTU_RAISE_TIMER, RFC 8899 5.1.1).
    static let raiseInterval = TimeAmount.seconds(600)

    /// Until then datagrams are no larger than `base`. `nil` if they are not restricted.
    private(set) var raisesAt: NIODeadline?
    /// Whether a datagram larger than `base` went out that has to be answered, and nothing has been received since.
    var hasUnansweredLarge = false
    /// Whether a datagram larger than `base` went out since the streams were last checked.
    var hasSentLarge = false
    /// When to check whether streams make progress.
    var nextCheck: NIODeadline?

    /// The largest datagram that may be sent now, in bytes.
    /// - Parameter capacity: The largest one that the configuration allows.
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

    /// On another path, ngtcp2 begins again.
    mutating func pathChanged() {
        self = DatagramSize()
    }
}

extension QUICConnection {
    /// Must be called when a deadline has passed. Nothing was answered for two probe timeouts in a row, of which the
    /// second is twice as long (RFC 9002 6.2.1): large datagrams may be the reason, and small ones are worth a try.
    func suspectDatagramSize(at now: NIODeadline) {
        guard datagramSize.hasUnansweredLarge, let since = unansweredSince else { return }
        if now >= since + threeProbeTimeouts {
            datagramSize.fallBack(at: now)
        }
    }

    /// Must be called when a datagram was received. If small datagrams get through but a stream makes no progress, its
    /// bytes may all be in large ones.
    func lookForStuckStreams(at now: NIODeadline) {
        guard datagramSize.hasSentLarge else { return }
        guard let nextCheck = datagramSize.nextCheck else {
            datagramSize.nextCheck = now + stuckAfter
            return
        }
        guard now >= nextCheck else { return }
        datagramSize.nextCheck = now + stuckAfter
        datagramSize.hasSentLarge = false
        var isStuck = false
        for stream in streams.values where stream.hasMadeNoProgress() { isStuck = true }
        if isStuck { datagramSize.fallBack(at: now) }
    }

    /// A stream without progress for this long is stuck.
    private var stuckAfter: TimeAmount { max(threeProbeTimeouts, .seconds(1)) }
}
