import BridgeCore
import NIOCore

// Better ways than the one in use: who tries them, and when.
extension Upstream {
    /// Whether the one who asks is to try the better ways from now on.
    func claimsProber() -> Bool {
        // Without another way there is never anything to try.
        guard configuration.hasAlternatives else { return false }
        return state.withLock { state in
            guard state.choice.nextProbe != nil, !state.hasProber else { return false }
            state.hasProber = true
            return true
        }
    }

    /// When the better ways are to be tried; nil: there is nothing to try any more, and the prober is dismissed.
    func nextProbe() -> NIODeadline? {
        state.withLock { state in
            if state.choice.nextProbe == nil { state.hasProber = false }
            return state.choice.nextProbe
        }
    }

    /// Which to try now, in this order until one works. ``probeSucceeded(_:)`` or ``probesFailed()`` follows.
    func takeProbes() -> [CandidateChoice.Candidate] {
        state.withLock { $0.choice.takeProbes(at: .now()) }
    }

    func probeSucceeded(_ candidate: CandidateChoice.Candidate) {
        let now = NIODeadline.now()
        let news = change { state in
            for line in state.lines.keys { state.with(line, configuration) { $0.gate.succeeded() } }
            return state.choice.probeSucceeded(candidate, at: now, jitter: .random(in: 0...1))
        }
        if let news { log(news) }
    }

    func probesFailed() {
        change { $0.choice.probesFailed(at: .now(), jitter: .random(in: 0...1)) }
    }

    /// The one who tried them is gone.
    func proberLeft() {
        state.withLock { $0.hasProber = false }
    }
}
