import NIOCore

/// Keeps a dead uplink from being hammered: after a failure one attempt at a time, with growing, jittered pauses.
///
/// ```
///           failed                    pause over, first to ask
///   open ------------> paused(until) -------------------------> probing
///    ^                    ^                                        |
///    |                    +---- failed: the pause's cap doubles ---+
///    +------------------------------ succeeded --------------------+
/// ```
/// The pause is a random time between 0 and the cap ("full jitter"), so that many gateways do not come in step.
package struct ReconnectGate: Sendable {
    private enum State: Sendable {
        case open
        /// Not before `floor`, whatever happens.
        case paused(until: NIODeadline, cap: TimeAmount, floor: NIODeadline)
        case probing(cap: TimeAmount)
    }

    /// What someone who wants to connect is to do.
    package enum Decision: Sendable, Equatable {
        /// Connect, and report `succeeded`, `failed` or `abandoned`.
        case go
        /// Ask again then.
        case wait(until: NIODeadline)
        /// Somebody else is trying: ask again when that has an outcome.
        case waitForProbe
    }

    private let minimum: TimeAmount
    private let maximum: TimeAmount
    private var state = State.open

    package init(minimum: Duration, maximum: Duration) {
        self.minimum = TimeAmount(minimum)
        self.maximum = TimeAmount(maximum)
    }

    package mutating func request(at now: NIODeadline) -> Decision {
        switch state {
        case .open:
            return .go
        case .paused(let until, let cap, _):
            guard now >= until else { return .wait(until: until) }
            state = .probing(cap: cap)
            return .go
        case .probing:
            return .waitForProbe
        }
    }

    package mutating func succeeded() {
        state = .open
    }

    /// `jitter` is a random number from 0 to 1. The pause is no shorter than `minimum`.
    package mutating func failed(at now: NIODeadline, jitter: Double, atLeast minimum: Duration = .zero) {
        let cap: TimeAmount
        switch state {
        case .open: cap = self.minimum
        case .probing(let previous): cap = min(previous * 2, maximum)
        // One of several attempts that were already under way: they all failed for the same reason.
        case .paused(let until, let cap, let floor):
            let least = now + TimeAmount(minimum)
            state = .paused(until: max(until, least), cap: cap, floor: max(floor, least))
            return
        }
        let pause = TimeAmount.nanoseconds(Int64(Double(cap.nanoseconds) * min(max(jitter, 0), 1)))
        let floor = now + TimeAmount(minimum)
        state = .paused(until: max(now + pause, floor), cap: cap, floor: floor)
    }

    /// The attempt was given up before it had an outcome: somebody else may try at once.
    package mutating func abandoned(at now: NIODeadline) {
        guard case .probing(let cap) = state else { return }
        state = .paused(until: now, cap: cap, floor: now)
    }

    /// The broker answers again: what was learned of its absence is void. A pause that it asked for is kept.
    package mutating func pathAnswered(at now: NIODeadline) {
        guard case .paused(_, _, let floor) = state else { return }
        state = now >= floor ? .open : .paused(until: floor, cap: minimum, floor: floor)
    }
}
