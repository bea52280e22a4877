import BridgeCore
import NIOCore

// How many handshakes an endpoint takes at once, and what becomes of those that it refuses.
extension Upstream {
    /// The server is there and refuses connections for the moment, which is no failure of the endpoint: fewer go to it at
    /// once from now on, and this one goes again. False where it has done nothing else for as long as a handshake may
    /// take and there is another way: then it counts as one that failed.
    func tryAgainAfterRefusal(_ attempt: Attempt, _ end: UplinkConnectionEnd, at now: NIODeadline) -> Bool {
        let patience = TimeAmount(configuration.handshakeTimeout)
        let (isAgain, window) = change { state in
            guard let window = state.refused(attempt, at: now) else { return (false, HandshakeWindow?.none) }
            let isPersistent = window.refusedSince.map { $0 + patience <= now } ?? false
            guard !(isPersistent && state.choice.hasAlternatives) else { return (false, nil) }
            state.with(attempt.line, configuration) { line in
                line.failures.removeAll { $0.candidate == attempt.candidate }
                line.failures.append((attempt.candidate, end.why))
                line.gate.pathAnswered(at: now)
            }
            let isNews = state.refusalReportedAt.map { $0 + Self.refusalReportInterval <= now } ?? true
            if isNews { state.refusalReportedAt = now }
            return (true, isNews ? window : nil)
        }
        if let window { logRefusal(attempt, end.why, atOnce: Int(window.limit)) }
        return isAgain
    }

    private static let refusalReportInterval = TimeAmount.seconds(60)
}

extension Upstream.State {
    enum PlaceDecision {
        /// Nil: there is no window on this way.
        case taken(HandshakeWindow.Place?)
        case wait(until: NIODeadline?)
    }

    /// - Parameter waker: Woken when there may be room, where there is none now.
    mutating func takePlace(
        _ candidate: CandidateChoice.Candidate, for waker: Int, at now: NIODeadline
    ) -> PlaceDecision {
        guard case .quic(let index) = candidate else { return .taken(nil) }
        switch windows[index].request(at: now) {
        case .go(let place):
            return .taken(place)
        case .wait(let until):
            waitingForPlace.insert(waker)
            return .wait(until: until)
        }
    }

    mutating func returnPlace(
        _ place: HandshakeWindow.Place?, _ candidate: CandidateChoice.Candidate, wakes: Bool = true
    ) {
        guard let place, case .quic(let index) = candidate else { return }
        windows[index].ended(place)
        if wakes { wakeForPlace() }
    }

    mutating func succeeded(_ attempt: Upstream.Attempt) {
        guard let place = attempt.place, case .quic(let index) = attempt.candidate else { return }
        windows[index].succeeded(place)
        wakeForPlace()
    }

    /// Answers the window as it is then; nil where the attempt has no place in one.
    mutating func refused(_ attempt: Upstream.Attempt, at now: NIODeadline) -> HandshakeWindow? {
        guard let place = attempt.place, case .quic(let index) = attempt.candidate else { return nil }
        windows[index].refused(place, at: now, jitter: .random(in: 0...1))
        wakeForPlace()
        return windows[index]
    }

    private mutating func wakeForPlace() {
        woken += waitingForPlace.compactMap { wakers[$0] }
        waitingForPlace = []
    }
}
