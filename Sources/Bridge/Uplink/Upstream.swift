import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import Synchronization

/// What all event loops know of the broker together: which way to it works, whether it answers at all, and how many may
/// come at a time. A thousand devices that were cut off at the same moment send one ahead, whatever loop they are on.
///
/// A connection takes one short lock before it is made and one when it stands; the data path takes none.
final class Upstream: Sendable {
    /// Who waits together. A broker that refuses the gateway one version says nothing of another.
    enum Line: Hashable, Sendable {
        case devices
        case gateway(MQTTVersion)
    }

    /// Leave to make one connection, to be given back with its outcome.
    struct Attempt: Sendable {
        let candidate: CandidateChoice.Candidate
        let line: Line
        /// Nil where it is made ahead of time and nothing is wrong: no device waits for it, and none has to wait because of
        /// it.
        let pass: ReconnectGate.Pass?
        /// In the window of its endpoint; nil over TLS, where the kernel of the broker's machine has a queue.
        let place: HandshakeWindow.Place?
        let startedAt: NIODeadline
    }

    enum Decision {
        case go(Attempt)
        /// Ask again then, or when woken; nil: when woken.
        case wait(until: NIODeadline?)
    }

    struct LineState {
        var gate: ReconnectGate
        /// What went wrong on each way since the last success: one entry a candidate.
        var failures: [(candidate: CandidateChoice.Candidate, why: String)] = []
        /// The log has it.
        var isReported = false
        /// Connectors to be woken at the next change.
        var waiting: Set<Int> = []
    }

    struct State {
        var choice: CandidateChoice
        var pacer: ReconnectPacer
        /// One per endpoint: how many handshakes it takes at once.
        var windows: [HandshakeWindow]
        /// Connectors to be woken when a handshake that is under way has an outcome.
        var waitingForPlace: Set<Int> = []
        /// When the log last had a line about refused connections.
        var refusalReportedAt: NIODeadline?
        var lines: [Line: LineState] = [:]
        /// One a connector.
        var wakers: [Int: @Sendable () -> Void] = [:]
        var nextWaker = 0
        /// Some connector tries the better ways.
        var hasProber = false
        /// To be called once the lock is free.
        var woken: [@Sendable () -> Void] = []
    }

    let configuration: UplinkConfiguration
    let logger: Logger
    let state: Mutex<State>
    /// The candidate's place, for those who only look.
    private let chosenPlace = Atomic<Int>(0)

    /// - Parameter probing: How often better ways than the one in use are tried.
    init(_ configuration: UplinkConfiguration, probing: CandidateChoice.Probing = .init(), logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        self.state = Mutex(
            State(
                choice: CandidateChoice(
                    endpoints: configuration.endpoints.count, hasFallback: configuration.usableFallback != nil,
                    patience: configuration.handshakeTimeout, probing: probing),
                pacer: ReconnectPacer(perSecond: Double(configuration.reconnectsPerSecond)),
                windows: configuration.endpoints.map { _ in HandshakeWindow() }))
    }

    /// The way that new connections take.
    var chosen: CandidateChoice.Candidate {
        let place = chosenPlace.load(ordering: .relaxed)
        return place < configuration.endpoints.count ? .quic(place) : .tls
    }

    func isBetter(_ candidate: CandidateChoice.Candidate, than other: CandidateChoice.Candidate) -> Bool {
        place(candidate) < place(other)
    }

    private func place(_ candidate: CandidateChoice.Candidate) -> Int {
        switch candidate {
        case .quic(let index): index
        case .tls: configuration.endpoints.count
        }
    }

    /// `wake` is called, on any thread, when what one has waited for has come, or another way is chosen.
    func register(_ wake: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.nextWaker += 1
            state.wakers[state.nextWaker] = wake
            return state.nextWaker
        }
    }

    func unregister(_ waker: Int) {
        state.withLock { $0.wakers[waker] = nil }
    }

    /// Makes a change, and wakes whom it concerns.
    func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, woken) = state.withLock { state in
            let result = body(&state)
            let place = place(state.choice.chosen)
            if chosenPlace.exchange(place, ordering: .relaxed) != place { state.woken = Array(state.wakers.values) }
            defer { state.woken = [] }
            return (result, state.woken)
        }
        for wake in woken { wake() }
        return result
    }
}

extension Upstream.State {
    /// Works on a line, and wakes those who wait in it.
    mutating func with<Result>(
        _ line: Upstream.Line, _ configuration: UplinkConfiguration, wakes: Bool = true,
        _ body: (inout Upstream.LineState) -> Result
    ) -> Result {
        var state =
            lines[line]
            ?? Upstream.LineState(
                gate: ReconnectGate(minimum: configuration.backoffMinimum, maximum: configuration.backoffMaximum))
        let result = body(&state)
        if wakes {
            woken += state.waiting.compactMap { wakers[$0] }
            state.waiting = []
        }
        lines[line] = state
        return result
    }
}

// MARK: - Before a connection

extension Upstream {
    /// For a device that goes onto a connection that there is: nil where it may now, else when to ask again.
    func admit(at now: NIODeadline) -> NIODeadline? {
        state.withLock { state in
            if let until = state.pacer.next(at: now) { return until }
            state.pacer.took()
            return nil
        }
    }

    /// - Parameter waker: Of the one who asks.
    func mayDial(_ line: Line, for waker: Int, at now: NIODeadline) -> Decision {
        state.withLock { state in
            if let until = state.pacer.next(at: now) { return .wait(until: until) }
            let candidate = state.choice.chosen
            let place: HandshakeWindow.Place?
            switch state.takePlace(candidate, for: waker, at: now) {
            case .taken(let taken): place = taken
            case .wait(let until): return .wait(until: until)
            }
            let decision = state.with(line, configuration, wakes: false) { line in
                let decision = line.gate.request(at: now)
                if case .go = decision {} else { line.waiting.insert(waker) }
                return decision
            }
            switch decision {
            case .go(let pass):
                state.pacer.took()
                return .go(Attempt(candidate: candidate, line: line, pass: pass, place: place, startedAt: now))
            case .wait(let until):
                state.returnPlace(place, candidate, wakes: false)
                return .wait(until: until)
            case .waitForProbe:
                state.returnPlace(place, candidate, wakes: false)
                return .wait(until: nil)
            }
        }
    }

    /// Leave to make a connection to that endpoint ahead of time. Where a device has failed to get through, or was cut
    /// off, this is one of those of which a single one goes ahead.
    func mayDialAhead(to endpoint: UplinkEndpoint, _ line: Line, for waker: Int, at now: NIODeadline) -> Decision {
        guard let index = configuration.endpoints.firstIndex(of: endpoint) else { return .wait(until: nil) }
        return state.withLock { state in
            let place: HandshakeWindow.Place?
            switch state.takePlace(.quic(index), for: waker, at: now) {
            case .taken(let taken): place = taken
            // Devices that wait for theirs go first.
            case .wait(let until): return .wait(until: until ?? now + Self.crowdedPause)
            }
            let decision = state.with(line, configuration, wakes: false) { line -> ReconnectGate.Decision? in
                guard !line.gate.isOpen else { return nil }
                let decision = line.gate.request(at: now)
                if case .waitForProbe = decision { line.waiting.insert(waker) }
                return decision
            }
            var pass: ReconnectGate.Pass?
            switch decision {
            // It fails for itself only: no device has to wait because of it.
            case nil: break
            case .go(let taken): pass = taken
            case .wait(let until):
                state.returnPlace(place, .quic(index), wakes: false)
                return .wait(until: until)
            case .waitForProbe:
                state.returnPlace(place, .quic(index), wakes: false)
                return .wait(until: nil)
            }
            return .go(Attempt(candidate: .quic(index), line: line, pass: pass, place: place, startedAt: now))
        }
    }

    private static let crowdedPause = TimeAmount.milliseconds(100)
}

// MARK: - Its outcome

extension Upstream {
    /// The broker is verified, and takes us.
    func succeeded(_ attempt: Attempt) {
        let now = NIODeadline.now()
        let (news, previous) = change { state in
            state.succeeded(attempt)
            let news = state.choice.succeeded(attempt.candidate, at: now, jitter: .random(in: 0...1))
            let previous = state.with(attempt.line, configuration) { line in
                defer {
                    line.failures = []
                    line.isReported = false
                }
                line.gate.succeeded()
                return line.isReported ? Self.summary(line.failures) : nil
            }
            return (news, previous)
        }
        if let previous {
            logger.notice("the broker can be reached again", metadata: ["leg": "uplink", "before": "\(previous)"])
        }
        if let news { log(news) }
    }

    /// - Parameters:
    ///   - hasOthers: There are connections left that carry devices.
    func failed(_ attempt: Attempt, _ end: UplinkConnectionEnd, hasOthers: Bool = false) -> CandidateChoice.Verdict {
        let now = NIODeadline.now()
        if end.isRefusal, tryAgainAfterRefusal(attempt, end, at: now) { return .again(after: .zero) }
        let (verdict, isNews) = change { state in
            if !end.isRefusal { state.returnPlace(attempt.place, attempt.candidate) }
            // Nothing is wrong with the way where the broker was verified and said no.
            let verdict =
                end.failure.map {
                    state.choice.failed(
                        attempt.candidate, $0, end.why, startedAt: attempt.startedAt, at: now,
                        jitter: .random(in: 0...1))
                } ?? .exhausted
            if case .next = verdict { state.hurryAll(at: now) }
            let isNews = state.with(attempt.line, configuration) { line in
                line.failures.removeAll { $0.candidate == attempt.candidate }
                line.failures.append((attempt.candidate, end.why))
                line.settle(verdict, of: attempt, atLeast: end.pause, at: now)
                defer { line.isReported = line.isReported || verdict == .exhausted }
                return !line.isReported && !end.isLogged
            }
            return (verdict, isNews)
        }
        if isNews { log(verdict, attempt, end.why, hasOthers: hasOthers) }
        return verdict
    }

    /// Given up before there was an outcome.
    func abandoned(_ attempt: Attempt) {
        let now = NIODeadline.now()
        change { state in
            state.returnPlace(attempt.place, attempt.candidate)
            state.with(attempt.line, configuration) { line in
                if let pass = attempt.pass { line.gate.abandoned(pass, at: now) }
            }
        }
    }

    /// A connection was lost, and its devices come back.
    func disturbed() {
        state.withLock { $0.pacer.disturbed(at: .now()) }
    }

    /// The network took a connection, and maybe all: the next to be made goes alone, and tells.
    func lost(_ line: Line) {
        let now = NIODeadline.now()
        change { state in
            state.pacer.disturbed(at: now)
            state.with(line, configuration, wakes: false) { line in
                if line.gate.isOpen { line.gate.again(nil, at: now) }
            }
        }
    }

    /// The broker asked to be left alone for a while.
    func mustPause(_ line: Line, atLeast pause: Duration) {
        let now = NIODeadline.now()
        change { state in
            state.with(line, configuration) {
                $0.gate.failed(nil, at: now, jitter: .random(in: 0...1), atLeast: pause)
            }
        }
    }

    /// What kept a further connection from being made is not what is wrong now.
    func forgetFailure(_ line: Line) {
        state.withLock { state in
            state.with(line, configuration, wakes: false) {
                $0.failures = []
                $0.isReported = false
            }
        }
    }

    /// What went wrong, while nothing has gone right since.
    func failure(_ line: Line) -> String? {
        state.withLock { state in
            state.lines[line].flatMap { $0.failures.isEmpty ? nil : Self.summary($0.failures) }
        }
    }

    /// A server of the broker's was heard that had been silent: nobody waits any longer, and who comes back does so at
    /// the operator's pace.
    ///
    /// - Parameter endpoint: Which, where that is known.
    func pathAnswered(endpoint: UplinkEndpoint? = nil) {
        let now = NIODeadline.now()
        let place = endpoint.flatMap { configuration.endpoints.firstIndex(of: $0) } ?? 0
        change { state in
            state.choice.pathAnswered(place, at: now)
            state.pacer.disturbed(at: now)
            for line in state.lines.keys { state.with(line, configuration) { $0.gate.pathAnswered(at: now) } }
            state.woken = Array(state.wakers.values)
        }
    }

    private static func summary(_ failures: [(candidate: CandidateChoice.Candidate, why: String)]) -> String {
        failures.count == 1
            ? failures[0].why
            : failures.map { "\($0.candidate == .tls ? "over TLS" : "over QUIC"): \($0.why)" }.joined(separator: "; ")
    }
}

extension Upstream.State {
    /// There is another way to try, for all.
    fileprivate mutating func hurryAll(at now: NIODeadline) {
        for line in lines.keys { lines[line]?.gate.hurry(at: now) }
    }
}

extension Upstream.LineState {
    fileprivate mutating func settle(
        _ verdict: CandidateChoice.Verdict, of attempt: Upstream.Attempt, atLeast pause: Duration, at now: NIODeadline
    ) {
        guard let pass = attempt.pass else { return }
        switch verdict {
        case .again(let after): gate.again(pass, at: now + TimeAmount(after))
        case .next: gate.again(pass, at: now)
        case .stale: gate.abandoned(pass, at: now)
        case .exhausted: gate.failed(pass, at: now, jitter: .random(in: 0...1), atLeast: pause)
        }
    }
}
