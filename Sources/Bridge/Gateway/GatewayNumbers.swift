import NIOCore
import Synchronization

/// Hands out the numbers of the gateway's sessions: `<client_id>-1`, `<client_id>-2`, ... over all event loops and
/// versions, the smallest free one first.
final class GatewayNumbers: Sendable {
    private struct State {
        var taken: Set<Int> = []
        /// Until when a number that was given back is not to be used: bounded by the sessions there ever were at once.
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

    /// Nobody connects with it before `pause` is over.
    func giveBack(_ number: Int, pause: Duration, at now: NIODeadline) {
        state.withLock { state in
            state.taken.remove(number)
            if pause > .zero { state.resting[number] = now + TimeAmount(pause) }
        }
    }
}
