import NIOCore

/// Tells whether a broker that ended sessions without a word did so by decisions of its own, or because it is going
/// itself. One for each broker, shared by all event loops.
///
/// TCP says the same of both, and a client acts differently on them: it stays away after the first, and comes back after
/// the second. One end while others live on was that session's own. Several ends say nothing, whatever the others do: a
/// broker may throw out all that it has, and one that goes may take its time for each. Then one look at its port is made
/// for all of them.
///
/// ```
///   a session ends ── it was the only one ──────────────────────────▶ look
///                  ── others live ──▶ wait until the ends pause
///                                        ├── no other end near ─────▶ its own end
///                                        └── more ends ─────────────▶ look, once for all of them
///
///   the look ── refused, or dropped at once ──▶ the broker is gone, also for the ends that follow
///            ── accepted ─────────────────────▶ their own ends
/// ```
package struct BrokerPulse: Sendable {
    /// Ends without such a pause between them are one wave. It is what the end of a session among others is late by.
    package static let moment = TimeAmount.milliseconds(25)
    /// From the first end of a wave to its judgement, whatever else ends then. For as long an end is near another one, and
    /// the answer to a look is worth something.
    package static let patience = TimeAmount.seconds(1)
    /// A look takes less than this; where its answer never comes, the broker counts as gone.
    package static let lookLimit = TimeAmount.seconds(2)
    /// Who asks later than this after the time that was agreed on was held up, and the other event loops perhaps with it:
    /// there may be ends that they have not read.
    static let lateness = TimeAmount.milliseconds(10)
    /// How often a wave is put off because of that.
    static let delays = 2

    package enum Verdict: Sendable, Equatable {
        /// The broker is there: the end was the session's own.
        case ownEnd
        case brokerGone
        /// Have a look at whether the broker takes connections, say it with ``looked(_:isThere:at:)``, and ask again.
        case look(wave: Int)
        /// Ask again then, about this wave.
        case wait(until: NIODeadline, wave: Int)
    }

    /// Ends that are judged together.
    private struct Wave: Sendable {
        let startedAt: NIODeadline
        /// Another end came shortly before the first.
        let isNearOthers: Bool
        var lastAt: NIODeadline
        var count = 0
        /// Sessions that will ask again.
        var waiting = 0
        var delays = 0
        var delayedTo = NIODeadline.uptimeNanoseconds(0)
        var answer: Verdict?

        var isJudgedAt: NIODeadline {
            max(delayedTo, min(lastAt + BrokerPulse.moment, startedAt + BrokerPulse.patience))
        }
    }

    private var living = 0
    /// The last one, and those before it that sessions will still ask about: never more than there are such sessions.
    private var waves: [Int: Wave] = [:]
    private var last = 0
    private var lastEnd: NIODeadline?
    /// The wave for which somebody is looking. One look at a time.
    private var looking: (wave: Int, until: NIODeadline)?
    private var lastLook: (isThere: Bool, at: NIODeadline)?

    package init() {}

    /// Nobody has a session, or waits to be told of its end.
    package var isIdle: Bool { living == 0 && waves.values.allSatisfy { $0.waiting == 0 } }

    /// A session has its connection to the broker.
    package mutating func joined() {
        living += 1
        // Whatever was seen of a broker that was gone is over.
        if lastLook?.isThere == false { lastLook = nil }
    }

    /// Its client ended the session, which says nothing of the broker.
    package mutating func left() {
        living = max(0, living - 1)
    }

    /// The broker ended a session that has nothing to ask, as the broker has said why.
    package mutating func explained(at now: NIODeadline) {
        count(at: now)
    }

    /// The broker ended a session without a word.
    package mutating func ended(at now: NIODeadline) -> Verdict {
        count(at: now)
        waves[last]?.waiting += 1
        return judge(last, at: now)
    }

    /// A session that was to wait asks again.
    package mutating func judge(_ number: Int, at now: NIODeadline) -> Verdict {
        guard var wave = waves[number] else { return .ownEnd }
        if let looking, now >= looking.until { looked(looking.wave, isThere: false, at: now) }
        if let answer = waves[number]?.answer { return settle(number, answer) }
        if let lastLook, !lastLook.isThere, now < lastLook.at + Self.patience { return settle(number, .brokerGone) }
        if looking != nil { return .wait(until: now + Self.moment, wave: number) }
        if living > 0 {
            let due = wave.isJudgedAt
            if now < due { return .wait(until: due, wave: number) }
            if now > due + Self.lateness, wave.delays < Self.delays {
                wave.delays += 1
                wave.delayedTo = now + Self.moment
                waves[number] = wave
                return .wait(until: now + Self.moment, wave: number)
            }
        }
        guard needsLook(wave, at: now) else { return settle(number, .ownEnd) }
        looking = (number, now + Self.lookLimit)
        return .look(wave: number)
    }

    /// The answer to ``Verdict/look(wave:)``. It is that of all ends which came before the look.
    package mutating func looked(_ number: Int, isThere: Bool, at now: NIODeadline) {
        guard looking?.wave == number else { return }
        looking = nil
        lastLook = (isThere, now)
        waves[number]?.answer = isThere ? .ownEnd : .brokerGone
        if waves[number]?.waiting == 0 { waves[number] = nil }
    }

    /// A session that was to wait will not ask any more.
    package mutating func forget(_ number: Int) {
        waves[number]?.waiting -= 1
        if number != last, waves[number]?.waiting == 0 { waves[number] = nil }
    }

    /// Single ends that follow each other are looked at now and then, not each by itself.
    private func needsLook(_ wave: Wave, at now: NIODeadline) -> Bool {
        if living == 0 || wave.count > 1 { return true }
        let wasThere = lastLook.map { $0.isThere && now < $0.at + Self.patience } ?? false
        return wave.isNearOthers && !wasThere
    }

    private mutating func settle(_ number: Int, _ answer: Verdict) -> Verdict {
        waves[number]?.answer = answer
        forget(number)
        return answer
    }

    /// Ends belong to the present wave until it is judged, which may be later than it should; ends that come after the look
    /// are none of it.
    private mutating func count(at now: NIODeadline) {
        left()
        if let present = waves[last] {
            let isUnasked = present.waiting == 0 && now >= present.isJudgedAt
            if isUnasked || present.answer != nil || looking?.wave == last {
                if present.waiting == 0 { waves[last] = nil }
                last += 1
            }
        } else {
            last += 1
        }
        let isNearOthers = lastEnd.map { now < $0 + Self.patience } ?? false
        var wave = waves[last] ?? Wave(startedAt: now, isNearOthers: isNearOthers, lastAt: now)
        wave.lastAt = now
        wave.count += 1
        waves[last] = wave
        lastEnd = now
    }
}
