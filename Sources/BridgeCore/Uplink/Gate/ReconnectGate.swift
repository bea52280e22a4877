import NIOCore

/// Keeps a dead uplink from being hammered: after a failure one attempt is made at a time, with growing, jittered
/// pauses.
///
/// ```
///           failed                    pause over, first to ask
///   open ------------> paused(until) -------------------------> probing
///    ^                    ^                                        |
///    |                    +---- failed: the pause's cap doubles ---+
///    |                    +---- again: at a time that is given ----+
///    +----------------- succeeded, or the path answers ------------+
/// ```
/// The pause is a random time between 0 and the cap ("full jitter"), so that many gateways do not retry in step.
package struct ReconnectGate: Sendable {
    private enum State: Sendable {
        case open
        /// A cap of 0 means that attempts have been postponed, but none has failed. No attempt is made before `floor`,
        /// whatever happens.
        case paused(until: NIODeadline, cap: TimeAmount, floor: NIODeadline)
        case probing(cap: TimeAmount, number: UInt64)
    }

    /// Permission for one attempt, to be given back with its outcome.
    package struct Pass: Sendable, Equatable {
        /// How often the gate had been opened again when the pass was given.
        fileprivate let opening: UInt64
        /// The number of the attempt among those that went ahead alone; `nil` if the gate was open.
        fileprivate let number: UInt64?
    }

    /// What a caller that wants to connect has to do.
    package enum Decision: Sendable, Equatable {
        /// Connect, and report `succeeded`, `failed`, `again` or `abandoned`.
        case go(Pass)
        /// Ask again at that time.
        case wait(until: NIODeadline)
        /// Another caller is trying: ask again when that attempt has an outcome.
        case waitForProbe
    }

    private let minimum: TimeAmount
    private let maximum: TimeAmount
    private var state = State.open
    private var openings: UInt64 = 0
    private var lastNumber: UInt64 = 0

    package init(minimum: Duration, maximum: Duration) {
        self.minimum = TimeAmount(minimum)
        self.maximum = TimeAmount(maximum)
    }

    /// Whether any number of attempts may be made now.
    package var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Asks whether an attempt may be made now.
    package mutating func request(at now: NIODeadline) -> Decision {
        switch state {
        case .open:
            return .go(Pass(opening: openings, number: nil))
        case .paused(let until, let cap, _):
            guard now >= until else { return .wait(until: until) }
            lastNumber += 1
            state = .probing(cap: cap, number: lastNumber)
            return .go(Pass(opening: openings, number: lastNumber))
        case .probing:
            return .waitForProbe
        }
    }

    /// An attempt succeeded, so the gate is open.
    package mutating func succeeded() {
        if !isOpen { openings &+= 1 }
        state = .open
    }

    /// The broker answers again: what was learned about its absence no longer counts, and neither does what earlier
    /// attempts may still report. A pause that the broker asked for is kept.
    package mutating func pathAnswered(at now: NIODeadline) {
        switch state {
        case .open:
            break
        case .paused(_, _, let floor) where now < floor:
            state = .paused(until: floor, cap: .zero, floor: floor)
        case .paused, .probing:
            openings &+= 1
            state = .open
        }
    }

    /// An attempt failed. The pause is no shorter than `minimum`, whatever happens.
    ///
    /// - Parameters:
    ///   - pass: The pass of the attempt that failed; `nil` if something else went wrong.
    ///   - jitter: A random number from 0 to 1.
    package mutating func failed(
        _ pass: Pass?, at now: NIODeadline, jitter: Double, atLeast minimum: Duration = .zero
    ) {
        let least = now + TimeAmount(minimum)
        let cap: TimeAmount
        switch state {
        case .open:
            guard isNews(pass) else { return }
            cap = self.minimum
        case .probing(let previous, let number):
            // Another attempt's failure says nothing new: it was under way before the pause.
            guard pass.map({ $0.number == number }) ?? true else { return }
            cap = min(max(previous * 2, self.minimum), maximum)
        // This is one of several attempts that were already under way: they all failed for the same reason.
        case .paused(let until, let cap, let floor):
            state = .paused(until: max(until, least), cap: cap, floor: max(floor, least))
            return
        }
        let pause = TimeAmount.nanoseconds(Int64(Double(cap.nanoseconds) * min(max(jitter, 0), 1)))
        state = .paused(until: max(now + pause, least), cap: cap, floor: least)
    }

    /// The attempt failed, but there is more to try: the next one may go at that time, and alone.
    package mutating func again(_ pass: Pass?, at time: NIODeadline) {
        switch state {
        case .open:
            if isNews(pass) { state = .paused(until: time, cap: .zero, floor: .distantPast) }
        case .paused(_, let cap, let floor):
            state = .paused(until: max(time, floor), cap: cap, floor: floor)
        case .probing(let cap, _):
            state = .paused(until: time, cap: cap, floor: .distantPast)
        }
    }

    /// There is something to try that the pause is not about.
    package mutating func hurry(at now: NIODeadline) {
        guard case .paused(let until, let cap, let floor) = state else { return }
        state = .paused(until: min(until, max(now, floor)), cap: cap, floor: floor)
    }

    private func isNews(_ pass: Pass?) -> Bool {
        pass.map { $0.opening == openings } ?? true
    }

    /// The attempt was given up before it had an outcome: another caller may try at once.
    package mutating func abandoned(_ pass: Pass, at now: NIODeadline) {
        guard case .probing(let cap, let number) = state, pass.number == number else { return }
        state = .paused(until: now, cap: cap, floor: .distantPast)
    }
}
