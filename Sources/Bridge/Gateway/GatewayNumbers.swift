import NIOCore
import Synchronization

/// Hands out the numbers that end the gateway sessions' client identifiers (`<client_id>-1`, `<client_id>-2`, ...),
/// across all event loops and protocol versions. The smallest free number comes first.
final class GatewayNumbers: Sendable {
    private struct State {
        var taken: Set<Int> = []
        /// When a number that was given back may be used again. Bounded by the most sessions there ever were at once.
        var resting: [Int: NIODeadline] = [:]
    }

    private let state = Mutex(State())

    func take(at now: NIODeadline) -> Int {
        state.withLock { state in
            state.resting = state.resting.filter { $0.value > now }
            var number = 1
            while state.taken.contains(number) || state.resting[number] != nil { number += 1 }
            state.taken.insert(number)
            return number
        }
    }

    /// Makes the number available to other sessions after `pause`.
    func giveBack(_ number: Int, pause: Duration, at now: NIODeadline) {
        state.withLock { state in
            state.taken.remove(number)
            if pause > .zero { state.resting[number] = now + TimeAmount(pause) }
        }
    }
}
