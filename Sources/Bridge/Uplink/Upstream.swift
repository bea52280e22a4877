import BridgeCore
import Logging
import NIOCore
import Synchronization

/// The gate to the broker that all event loops share: ``DialPolicy`` behind a lock, with the waking and logging that
/// its decisions require.
///
/// Making a connection takes one short lock before it and one when it is established; the data path takes none.
final class Upstream: UpstreamGate, Sendable {
    private struct State {
        var policy: DialPolicy
        /// One function per plan.
        var wakers: [Int: @Sendable () -> Void] = [:]
        var lastWaker = 0
        var record = UplinkRecord()
    }

    let configuration: UplinkConfiguration
    let logger: Logger
    private let state: Mutex<State>
    /// The index of the chosen way, which can be read without the lock.
    private let chosenIndex = Atomic<Int>(0)

    /// - Parameter probing: How often better ways than the one in use are tried.
    init(_ configuration: UplinkConfiguration, probing: WayChoice.Probing = .init(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        self.state = Mutex(State(policy: DialPolicy(configuration, probing: probing)))
    }

    var chosen: UplinkWay {
        let index = chosenIndex.load(ordering: .relaxed)
        return index < configuration.endpoints.count ? .quic(index) : .tls
    }

    var leftWays: Set<UplinkWay> { state.withLock { $0.policy.leftWays } }

    func proven(since time: NIODeadline) -> UplinkWay? { state.withLock { $0.policy.proven(since: time) } }

    /// An identifier for a plan that asks.
    func makeWaker() -> Int {
        state.withLock { state in
            state.lastWaker += 1
            return state.lastWaker
        }
    }

    /// `wake` is called, on any thread, when what the plan waits for may have come, or another way is chosen.
    func register(_ waker: Int, _ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wakers[waker] = wake }
    }

    func unregister(_ waker: Int) {
        state.withLock { $0.wakers[waker] = nil }
    }

    /// Lets the policy decide, and wakes the plans that have to ask again.
    private func decide<Result>(_ body: (inout DialPolicy) -> Result) -> Result {
        let (result, wakers) = state.withLock { state in
            let result = body(&state.policy)
            let index =
                switch state.policy.chosen {
                case .quic(let index): index
                case .tls: configuration.endpoints.count
                }
            chosenIndex.store(index, ordering: .relaxed)
            let woken = state.policy.takeWoken()
            guard !woken.isEmpty else { return (result, [@Sendable () -> Void]()) }
            return (result, woken.all ? Array(state.wakers.values) : woken.some.compactMap { state.wakers[$0] })
        }
        for wake in wakers { wake() }
        return result
    }
}

// MARK: - Before a connection

extension Upstream {
    func admit(at now: NIODeadline) -> NIODeadline? {
        decide { $0.admit(at: now) }
    }

    func mayDial(_ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline) -> DialDecision {
        decide { $0.mayDial(purpose, for: waker, at: now) }
    }

    func mayDialAhead(
        to endpoint: Int, _ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline
    ) -> DialDecision {
        decide { $0.mayDialAhead(to: endpoint, purpose, for: waker, at: now) }
    }
}

// MARK: - Its outcome

extension Upstream {
    func succeeded(_ permit: DialPermit, at now: NIODeadline) {
        let news = decide { $0.succeeded(permit, at: now) }
        state.withLock { $0.record.succeeded(at: now) }
        if let previous = news.recoveredFrom {
            logger.notice("the broker can be reached again", metadata: ["leg": "uplink", "before": "\(previous)"])
        }
        if let change = news.change { log(change) }
    }

    func failed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, hasOthers: Bool, at now: NIODeadline
    ) -> WayChoice.Verdict {
        let (verdict, news) = decide { $0.failed(permit, end, at: now) }
        let why = failure(permit.purpose) ?? end.why
        switch verdict {
        // The way is not in use, so this says nothing about those that come now.
        case .stale: break
        case .again, .next: state.withLock { $0.record.failed(why, isRetried: true, at: now) }
        case .exhausted: state.withLock { $0.record.failed(why, at: now) }
        }
        log(news, permit, end.why, hasOthers: hasOthers)
        return verdict
    }

    func abandoned(_ permit: DialPermit, at now: NIODeadline) {
        decide { $0.abandoned(permit, at: now) }
    }

    func disturbed(at now: NIODeadline) {
        decide { $0.disturbed(at: now) }
    }

    func lost(_ purpose: UplinkPurpose, at now: NIODeadline) {
        decide { $0.lost(purpose, at: now) }
        state.withLock { $0.record.lost(at: now) }
    }

    /// The server of that way shuts down, so connections go another way from now on, if there is one.
    func left(_ way: UplinkWay, at now: NIODeadline) {
        if let next = decide({ $0.left(way, at: now) }) { logLeft(way, for: next) }
    }

    func mustPause(_ purpose: UplinkPurpose, atLeast pause: Duration, at now: NIODeadline) {
        decide { $0.mustPause(purpose, atLeast: pause, at: now) }
        state.withLock { $0.record.lost(at: now) }
    }

    func forgetFailure(_ purpose: UplinkPurpose) {
        decide { $0.forgetFailure(purpose) }
    }

    func failure(_ purpose: UplinkPurpose) -> String? {
        state.withLock { $0.policy.failure(purpose) }
    }

    /// What the last attempts to reach the broker came to.
    var record: UplinkRecord { state.withLock { $0.record } }

    func pathAnswered(_ endpoint: Int?, at now: NIODeadline) {
        decide { $0.pathAnswered(endpoint, at: now) }
    }
}

// MARK: - Better ways

extension Upstream {
    func claimsProbing() -> Bool {
        decide { $0.claimsProbing() }
    }

    func nextProbe() -> NIODeadline? {
        decide { $0.nextProbe() }
    }

    func takeProbes(at now: NIODeadline) -> [UplinkWay] {
        decide { $0.takeProbes(at: now) }
    }

    func probeSucceeded(_ way: UplinkWay, at now: NIODeadline) {
        let change = decide { $0.probeSucceeded(way, at: now) }
        state.withLock { $0.record.succeeded(at: now) }
        if let change { log(change) }
    }

    func probesFailed(at now: NIODeadline) {
        decide { $0.probesFailed(at: now) }
    }

    func probingEnded() {
        decide { $0.probingEnded() }
    }
}
