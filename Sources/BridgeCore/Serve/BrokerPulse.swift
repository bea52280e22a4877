import NIOCore

/// Tells whether a broker that ended sessions without saying why chose to end just those sessions, or is going away
/// itself. There is one pulse per broker, shared by all event loops.
///
/// On TCP both look alike, but a client acts differently on them: it stays away after the first, and comes back after the
/// second. A single end while other sessions live on is that session's own end. Several ends prove nothing, whatever the
/// other sessions do: a broker may choose to end all its sessions, and one that goes away may take its time for each. In
/// that case one look, a connection to the broker's port, decides about all of these ends.
///
/// ```
///   a session ends ── it was the only one ────────────────────────────▶ look
///                  ── others live ──▶ wait until the ends pause
///                                        ├── no other end nearby ─────▶ the session's own end
///                                        └── more ends ───────────────▶ look, once for all of them
///
///   the look ── refused, or closed at once ──▶ the broker is gone, also for the ends that follow
///            ── accepted ────────────────────▶ the sessions' own ends
/// ```
package struct BrokerPulse: Sendable {
    /// Ends without a pause of this length between them form one wave. It is also the delay of a single end's verdict.
    package static let moment = TimeAmount.milliseconds(25)
    /// The longest time from the first end of a wave to its verdict, even if sessions keep ending. It is also how close
    /// two ends have to be to count as near each other, and how long the answer to a look remains valid.
    package static let patience = TimeAmount.seconds(1)
    /// The longest time that a look may take. If its answer has not come by then, the broker counts as gone.
    package static let lookLimit = TimeAmount.seconds(2)
    /// A session that asks this much later than agreed was held up. Perhaps the other event loops were held up as well,
    /// so there may be ends that they have not read yet.
    static let lateness = TimeAmount.milliseconds(10)
    /// How many times a wave is put off because a session asked late.
    static let delays = 2

    /// What an end means for its session, or how to find that out.
    package enum Verdict: Sendable, Equatable {
        /// The broker is there, so it ended the session by its own decision.
        case ownEnd
        /// The broker is going away.
        case brokerGone
        /// The caller has to find out whether the broker accepts connections, report it with ``looked(_:isThere:at:)``,
        /// and ask again.
        case look(wave: Int)
        /// The caller has to ask again about this wave at that time.
        case wait(until: NIODeadline, wave: Int)
    }

    /// Ends that get the same verdict.
    private struct Wave: Sendable {
        let startedAt: NIODeadline
        /// Whether another end came shortly before the first one of this wave.
        let isNearOthers: Bool
        var lastAt: NIODeadline
        var count = 0
        /// The number of sessions that will ask again.
        var waiting = 0
        var delays = 0
        var delayedTo = NIODeadline.uptimeNanoseconds(0)
        var answer: Verdict?

        var isJudgedAt: NIODeadline {
            max(delayedTo, min(lastAt + BrokerPulse.moment, startedAt + BrokerPulse.patience))
        }
    }

    private var living = 0
    /// The last wave, and earlier ones about which sessions will still ask. There are never more of those than sessions.
    private var waves: [Int: Wave] = [:]
    private var last = 0
    private var lastEnd: NIODeadline?
    /// The wave for which a look is under way. There is only one look at a time.
    private var looking: (wave: Int, until: NIODeadline)?
    private var lastLook: (isThere: Bool, at: NIODeadline)?

    package init() {}

    /// Whether there is no session, and none that waits for a verdict.
    package var isIdle: Bool { living == 0 && waves.values.allSatisfy { $0.waiting == 0 } }

    /// A session has connected to the broker.
    package mutating func joined() {
        living += 1
        // The broker is back if it was gone.
        if lastLook?.isThere == false { lastLook = nil }
    }

    /// A client ended its session, which says nothing about the broker.
    package mutating func left() {
        living = max(0, living - 1)
    }

    /// The broker ended a session and said why, so that the session needs no verdict.
    package mutating func explained(at now: NIODeadline) {
        count(at: now)
    }

    /// The broker ended a session without saying why.
    package mutating func ended(at now: NIODeadline) -> Verdict {
        count(at: now)
        waves[last]?.waiting += 1
        return judge(last, at: now)
    }

    /// A session asks again about its wave.
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

    /// The answer to ``Verdict/look(wave:)``, which holds for all ends that came before the look.
    package mutating func looked(_ number: Int, isThere: Bool, at now: NIODeadline) {
        guard looking?.wave == number else { return }
        looking = nil
        lastLook = (isThere, now)
        waves[number]?.answer = isThere ? .ownEnd : .brokerGone
        if waves[number]?.waiting == 0 { waves[number] = nil }
    }

    /// A session that had to wait will not ask again.
    package mutating func forget(_ number: Int) {
        waves[number]?.waiting -= 1
        if number != last, waves[number]?.waiting == 0 { waves[number] = nil }
    }

    /// If single ends follow each other closely, not every one of them needs a look of its own.
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

    /// An end belongs to the present wave until that has its verdict, even if the verdict is late, but not if a look for
    /// the wave has already begun.
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
