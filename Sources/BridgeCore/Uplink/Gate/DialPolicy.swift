import NIOCore

/// Decides for all event loops together which way new connections take, and whether one may be made now. When a thousand
/// devices were cut off at the same moment, one goes ahead, whatever loop it is on.
///
/// It is pure: `Upstream` holds it behind a lock, wakes the plans that ``takeWoken()`` names, and logs what the methods
/// return.
package struct DialPolicy: Sendable {
    /// What is known for one purpose.
    struct Backoff {
        var gate: ReconnectGate
        /// What went wrong on each way since the last success, one entry per way.
        var failures: [(way: UplinkWay, why: String)] = []
        /// Whether the failures have been logged.
        var isReported = false
        /// Plans to be woken at the next change.
        var waiting: Set<Int> = []
    }

    /// Plans that have to ask again.
    package struct Woken: Sendable, Equatable {
        /// Whether all plans have to ask again.
        package var all = false
        /// The identifiers of plans that have to ask again.
        package var some: Set<Int> = []
        package var isEmpty: Bool { !all && some.isEmpty }
    }

    let configuration: UplinkConfiguration
    let jitter: @Sendable () -> Double
    var choice: WayChoice
    var pacer: ReconnectPacer
    /// How many handshakes each endpoint accepts at once.
    var windows: [HandshakeWindow]
    /// Plans to be woken when a handshake that is under way has an outcome.
    var waitingForPlace: Set<Int> = []
    /// When refused connections were last logged.
    var refusalReportedAt: NIODeadline?
    var backoffs: [UplinkPurpose: Backoff] = [:]
    /// Whether a plan tries the better ways.
    var isProbed = false
    var woken = Woken()

    /// - Parameters:
    ///   - probing: How often better ways than the one in use are tried.
    ///   - jitter: Makes random numbers from 0 to 1.
    package init(
        _ configuration: UplinkConfiguration, probing: WayChoice.Probing = .init(),
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.configuration = configuration
        self.jitter = jitter
        choice = WayChoice(
            endpoints: configuration.endpoints.count, hasFallback: configuration.usableFallback != nil,
            patience: configuration.handshakeTimeout, probing: probing)
        pacer = ReconnectPacer(perSecond: Double(configuration.reconnectsPerSecond))
        windows = configuration.endpoints.map { _ in HandshakeWindow() }
    }

    /// The way that new connections take.
    package var chosen: UplinkWay { choice.chosen }

    /// See ``WayChoice/proven(since:)``.
    package func proven(since time: NIODeadline) -> UplinkWay? { choice.proven(since: time) }

    /// The ways that are not taken because their servers shut down.
    package var leftWays: Set<UplinkWay> { choice.leftWays }

    /// The plans that have to ask again because of what has happened since the last call.
    package mutating func takeWoken() -> Woken {
        defer { woken = Woken() }
        return woken
    }

    /// Changes the backoff of a purpose, and wakes the plans that wait for it.
    mutating func with<Result>(
        _ purpose: UplinkPurpose, wakes: Bool = true, _ body: (inout Backoff) -> Result
    ) -> Result {
        var backoff =
            backoffs[purpose]
            ?? Backoff(
                gate: ReconnectGate(minimum: configuration.backoffMinimum, maximum: configuration.backoffMaximum))
        let result = body(&backoff)
        if wakes {
            woken.some.formUnion(backoff.waiting)
            backoff.waiting = []
        }
        backoffs[purpose] = backoff
        return result
    }
}

// MARK: - Before a connection

extension DialPolicy {
    /// Lets one device onto an existing connection. Returns `nil` if it may go now, otherwise when to ask again.
    package mutating func admit(at now: NIODeadline) -> NIODeadline? {
        if let until = pacer.next(at: now) { return until }
        pacer.took()
        return nil
    }

    /// Decides whether a connection for a device may be made now.
    package mutating func mayDial(_ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline) -> DialDecision {
        if let until = pacer.next(at: now) { return .wait(until: until) }
        let way = choice.chosen
        let place: HandshakeWindow.Place?
        switch takePlace(way, for: waker, at: now) {
        case .taken(let taken): place = taken
        case .wait(let until): return .wait(until: until)
        }
        let decision = with(purpose, wakes: false) { backoff in
            let decision = backoff.gate.request(at: now)
            if case .go = decision {} else { backoff.waiting.insert(waker) }
            return decision
        }
        let answer = answer(decision, way, purpose, place, at: now)
        if case .go = answer { pacer.took() }
        return answer
    }

    /// If a device has failed to get through, or was cut off, a connection made ahead of time is one of those of which
    /// a single one goes ahead.
    package mutating func mayDialAhead(
        to endpoint: Int, _ purpose: UplinkPurpose, for waker: Int, at now: NIODeadline
    ) -> DialDecision {
        let way = UplinkWay.quic(endpoint)
        let place: HandshakeWindow.Place?
        switch takePlace(way, for: waker, at: now) {
        case .taken(let taken): place = taken
        // Devices that wait for a place go first.
        case .wait(let until): return .wait(until: until ?? now + Self.crowdedPause)
        }
        let decision = with(purpose, wakes: false) { backoff -> ReconnectGate.Decision? in
            guard !backoff.gate.isOpen else { return nil }
            let decision = backoff.gate.request(at: now)
            if case .waitForProbe = decision { backoff.waiting.insert(waker) }
            return decision
        }
        return answer(decision, way, purpose, place, at: now)
    }

    /// - Parameter decision: The gate's decision; `nil` if the gate is not asked, as no device has to wait if the
    ///   connection fails.
    private mutating func answer(
        _ decision: ReconnectGate.Decision?, _ way: UplinkWay, _ purpose: UplinkPurpose,
        _ place: HandshakeWindow.Place?, at now: NIODeadline
    ) -> DialDecision {
        let pass: ReconnectGate.Pass?
        switch decision {
        case nil: pass = nil
        case .go(let given): pass = given
        case .wait(let until):
            returnPlace(place, way, wakes: false)
            return .wait(until: until)
        case .waitForProbe:
            returnPlace(place, way, wakes: false)
            return .wait(until: nil)
        }
        return .go(DialPermit(way: way, purpose: purpose, startedAt: now, pass: pass, place: place))
    }

    private static let crowdedPause = TimeAmount.milliseconds(100)
}
