import NIOCore

/// When an upstream address that somebody waits for is probed, and which of its answers is news.
///
/// Probes go at a steady pace, unlike those of a connection, whose pauses double: so whoever waits hears of a link that
/// is back within a quarter of a second, in a long outage within one.
package struct ScoutPace: Sendable {
    package static let interval = TimeAmount.milliseconds(250)
    package static let slowInterval = TimeAmount.seconds(1)
    /// How long it stays with the short interval.
    private static let eagerTime = TimeAmount.seconds(60)
    /// An answer after no more than this is no return.
    private static let gap = TimeAmount.seconds(1)
    /// The first answer to somebody who has begun to wait is news, but not more often: a server that answers probes and
    /// refuses connections would be tried at each of them.
    private static let rest = TimeAmount.seconds(60)

    private var eagerUntil = NIODeadline.distantPast
    private var next = NIODeadline.distantPast
    private var unansweredSince: NIODeadline?
    private var lastNews: NIODeadline?
    private var isActive = false

    package init() {}

    /// Whether a probe is to be sent now. To be asked while somebody waits.
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

    /// The server answered; whether that is news: it had not for a while, or nobody had asked.
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

    /// Nobody waits any more.
    package mutating func stop() {
        isActive = false
    }

    /// Whether it knows nothing any more that would change what it says.
    package func isForgettable(at now: NIODeadline) -> Bool {
        !isActive && lastNews.map { now >= $0 + Self.rest } ?? true
    }
}
