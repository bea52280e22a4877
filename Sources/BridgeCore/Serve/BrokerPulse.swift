import NIOCore

/// Tells whether a broker that ended sessions without a word did so by decisions of its own, or because it is going
/// itself. One for each broker, shared by all event loops.
///
/// TCP says the same of both, and a client acts differently on them: it stays away after the first, and comes back after
/// the second. The other sessions tell them apart. A broker that goes takes all of them along in one moment; where others
/// live on, the end was the session's own. Nobody has to ask the broker, unless the session was the only one.
///
/// ```
///   a session ends ── others live ──────────▶ wait for a moment ── others still live ──▶ its own end
///                                                    └── all have ended meanwhile ─────▶ the broker is gone
///                  ── it was the last of several that ended in this moment ────────────▶ the broker is gone
///                  ── it was the only one ─────────────────────────────────────────────▶ have a look
/// ```
package struct BrokerPulse: Sendable {
    /// A broker that goes ends its sessions one after the other, without a pause as long as this between two of them. It
    /// is what the end of a session among others is late by.
    package static let moment = TimeAmount.milliseconds(25)
    /// From the first of several ends to when those that wait are judged, whatever else ends then.
    package static let patience = TimeAmount.seconds(1)

    package enum Verdict: Sendable, Equatable {
        /// The broker is there: the end was the session's own.
        case ownEnd
        case brokerGone
        /// Nobody is left who could tell: have a look at whether the broker takes connections.
        case look
        /// Ask again then, about this wave.
        case wait(until: NIODeadline, wave: Int)
    }

    /// Ends that followed each other within a moment.
    private struct Wave: Sendable {
        let startedAt: NIODeadline
        var lastAt: NIODeadline
        var count = 0
        /// Sessions that will ask again.
        var waiting = 0
        var isBrokerGone = false

        var isJudgedAt: NIODeadline { min(lastAt + BrokerPulse.moment, startedAt + BrokerPulse.patience) }
    }

    private var living = 0
    /// The last one, and those before it that sessions will still ask about: never more than there are such sessions.
    private var waves: [Int: Wave] = [:]
    private var last = 0

    package init() {}

    /// Nobody has a session, or waits to be told of its end.
    package var isIdle: Bool { living == 0 && waves.values.allSatisfy { $0.waiting == 0 } }

    /// A session has its connection to the broker.
    package mutating func joined() {
        living += 1
    }

    /// Its client ended the session, which says nothing of the broker.
    package mutating func left() {
        living = max(0, living - 1)
    }

    /// The broker ended a session that has nothing to ask, as the broker has said why.
    package mutating func explained(at now: NIODeadline) {
        _ = count(at: now)
    }

    /// The broker ended a session without a word.
    package mutating func ended(at now: NIODeadline) -> Verdict {
        let wave = count(at: now)
        if wave.isBrokerGone { return .brokerGone }
        if living == 0 { return .look }
        waves[last]?.waiting += 1
        return .wait(until: wave.isJudgedAt, wave: last)
    }

    /// A session that was to wait asks again.
    package mutating func judge(_ number: Int, at now: NIODeadline) -> Verdict {
        guard let wave = waves[number] else { return .ownEnd }
        if !wave.isBrokerGone, now < wave.isJudgedAt { return .wait(until: wave.isJudgedAt, wave: number) }
        forget(number)
        return wave.isBrokerGone ? .brokerGone : .ownEnd
    }

    /// A session that was to wait will not ask any more.
    package mutating func forget(_ number: Int) {
        waves[number]?.waiting -= 1
        if number != last, waves[number]?.waiting == 0 { waves[number] = nil }
    }

    private mutating func count(at now: NIODeadline) -> Wave {
        left()
        if let present = waves[last], now >= present.isJudgedAt {
            if present.waiting == 0 { waves[last] = nil }
            last += 1
        }
        var wave = waves[last] ?? Wave(startedAt: now, lastAt: now)
        wave.lastAt = now
        wave.count += 1
        wave.isBrokerGone = living == 0 && wave.count > 1
        waves[last] = wave
        return wave
    }
}
