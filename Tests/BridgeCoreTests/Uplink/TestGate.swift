import NIOCore

@testable import BridgeCore

/// The gate of a test: a real ``DialPolicy``, held as `Upstream` holds it, without a lock and a log.
///
/// It checks what has to hold at the gate itself: no more handshakes begin than the window of the endpoint allows, and
/// after a failure one device at a time goes ahead.
final class TestGate: UpstreamGate {
    var policy: DialPolicy
    /// Violations of the rules.
    private(set) var faults: [String] = []
    /// Passes of those that go ahead while the others wait.
    private var ahead: [UplinkPurpose: [ReconnectGate.Pass]] = [:]

    func goAhead(_ purpose: UplinkPurpose) -> Int { ahead[purpose]?.count ?? 0 }

    init(_ configuration: UplinkConfiguration, probing: WayChoice.Probing = .init(), jitter: Double) {
        policy = DialPolicy(configuration, probing: probing) { jitter }
    }

    var chosen: UplinkWay { policy.chosen }
    var leftWays: Set<UplinkWay> { policy.leftWays }

    func proven(since time: NIODeadline) -> UplinkWay? { policy.proven(since: time) }

    func isOpen(_ purpose: UplinkPurpose) -> Bool { policy.backoffs[purpose]?.gate.isOpen ?? true }

    /// Handshakes under way to an endpoint, as the gate counts them.
    func handshakes(to endpoint: Int) -> Int { policy.windows[endpoint].count }

    func admit(at now: NIODeadline) -> NIODeadline? { policy.admit(at: now) }

    func mayDial(_ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline) -> DialDecision {
        let isOpen = isOpen(purpose)
        return checked(policy.mayDial(purpose, for: waker, at: now), isOpen: isOpen, at: now)
    }

    func mayDialAhead(
        to endpoint: Int, _ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline
    ) -> DialDecision {
        let isOpen = isOpen(purpose)
        return checked(policy.mayDialAhead(to: endpoint, purpose, for: waker, at: now), isOpen: isOpen, at: now)
    }

    private func checked(_ decision: DialDecision, isOpen: Bool, at now: NIODeadline) -> DialDecision {
        switch decision {
        case .wait(let until):
            if let until, until <= now { faults.append("asked to wait until a time that is over") }
        case .go(let permit):
            if case .quic(let endpoint) = permit.way {
                let window = policy.windows[endpoint]
                let isTooMany = window.count > Int(window.limit)
                if isTooMany { faults.append("\(window.count) handshakes, \(window.limit) allowed") }
            }
            guard !isOpen else { break }
            guard let pass = permit.pass else {
                faults.append("a connection goes beside the one that goes ahead")
                break
            }
            ahead[permit.purpose, default: []].append(pass)
            let count = goAhead(permit.purpose)
            if count > 1 { faults.append("\(count) go ahead at once") }
        }
        return decision
    }

    /// The outcome of an attempt is known.
    private func settled(_ permit: DialPermit) {
        guard let pass = permit.pass else { return }
        if let index = ahead[permit.purpose]?.firstIndex(of: pass) { ahead[permit.purpose]?.remove(at: index) }
    }

    /// Where all may go, none counts as going ahead any more.
    private func forgetOpenOnes() {
        for purpose in ahead.keys where isOpen(purpose) { ahead[purpose] = nil }
    }

    func succeeded(_ permit: DialPermit, at now: NIODeadline) {
        settled(permit)
        _ = policy.succeeded(permit, at: now)
        forgetOpenOnes()
    }

    func failed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, hasOthers: Bool, at now: NIODeadline
    ) -> WayChoice.Verdict {
        settled(permit)
        defer { forgetOpenOnes() }
        let verdict = policy.failed(permit, end, at: now).verdict
        switch verdict {
        // An attempt that goes ahead on the previous way is not waited for.
        case .again, .next: if permit.pass != nil { ahead[permit.purpose] = nil }
        case .exhausted, .stale: break
        }
        return verdict
    }

    func abandoned(_ permit: DialPermit, at now: NIODeadline) {
        settled(permit)
        policy.abandoned(permit, at: now)
    }

    func disturbed(at now: NIODeadline) { policy.disturbed(at: now) }
    func lost(_ purpose: UplinkPurpose, at now: NIODeadline) { policy.lost(purpose, at: now) }

    func mustPause(_ purpose: UplinkPurpose, atLeast pause: Duration, at now: NIODeadline) {
        policy.mustPause(purpose, atLeast: pause, at: now)
        // The pause is for the next attempt, and does not concern those that are under way.
        ahead[purpose] = nil
    }

    func forgetFailure(_ purpose: UplinkPurpose) { policy.forgetFailure(purpose) }
    func failure(_ purpose: UplinkPurpose) -> String? { policy.failure(purpose) }

    func pathAnswered(_ endpoint: Int?, at now: NIODeadline) {
        policy.pathAnswered(endpoint, at: now)
        // An attempt that goes ahead then reports on a time that is over, even if the broker's own pause is kept.
        ahead = [:]
    }

    func claimsProbing() -> Bool { policy.claimsProbing() }
    func nextProbe() -> NIODeadline? { policy.nextProbe() }
    func takeProbes(at now: NIODeadline) -> [UplinkWay] { policy.takeProbes(at: now) }

    func probeSucceeded(_ way: UplinkWay, at now: NIODeadline) {
        _ = policy.probeSucceeded(way, at: now)
        forgetOpenOnes()
    }

    func probesFailed(at now: NIODeadline) { policy.probesFailed(at: now) }
    func probingEnded() { policy.probingEnded() }
}
