import NIOCore

/// Decides when to probe an address that is awaited, and which of its answers show that the server is back.
///
/// Probes go at a steady pace, unlike those of a connection, whose pauses double. So a link that is back is noticed
/// within a quarter of a second, and in a long outage within one second.
package struct ScoutPace: Sendable {
    /// The time between two probes at first.
    package static let interval = TimeAmount.milliseconds(250)
    /// The time between two probes later on.
    package static let slowInterval = TimeAmount.seconds(1)
    /// How long the short interval is kept.
    private static let eagerTime = TimeAmount.seconds(60)
    /// An answer after a shorter pause than this does not count as the server's return.
    private static let gap = TimeAmount.seconds(1)
    /// The first answer after waiting has begun counts as the server's return, but not more often than this. Otherwise
    /// a server that answers probes but refuses connections would be tried at each answer.
    private static let rest = TimeAmount.seconds(60)

    private var eagerUntil = NIODeadline.distantPast
    private var next = NIODeadline.distantPast
    private var unansweredSince: NIODeadline?
    private var lastNews: NIODeadline?
    private var isActive = false

    package init() {}

    /// Whether to send a probe now. Call this for as long as something waits.
    package mutating func isDue(at now: NIODeadline) -> Bool {
        if !isActive {
            isActive = true
            eagerUntil = now + Self.eagerTime
            next = now
            unansweredSince = nil
        }
        guard now >= next else { return false }
        next = now + (now < eagerUntil ? Self.interval : Self.slowInterval)
        if unansweredSince == nil { unansweredSince = now }
        return true
    }

    /// The server answered. Returns whether that counts as its return, because it had not answered for a while or had
    /// not been asked.
    package mutating func answered(at now: NIODeadline) -> Bool {
        guard isActive else { return false }
        let wasGone = unansweredSince.map { now >= $0 + Self.gap } ?? false
        unansweredSince = nil
        if wasGone {
            eagerUntil = now + Self.eagerTime
            next = min(next, now + Self.interval)
        }
        guard wasGone || lastNews.map({ now >= $0 + Self.rest }) ?? true else { return false }
        lastNews = now
        return true
    }

    /// Nothing waits any longer.
    package mutating func stop() {
        isActive = false
    }

    /// Whether this has no memory left that would change its decisions.
    package func isForgettable(at now: NIODeadline) -> Bool {
        !isActive && lastNews.map { now >= $0 + Self.rest } ?? true
    }
}
