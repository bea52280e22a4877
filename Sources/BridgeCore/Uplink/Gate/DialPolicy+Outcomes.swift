import NIOCore

// The outcome of a connection, and what follows from it for the next one.
extension DialPolicy {
    /// What the log is told about a success.
    package struct SuccessNews: Sendable, Equatable {
        /// New connections take another way from now on.
        package var change: WayChoice.Change?
        /// What had gone wrong before, if the log has a line about it.
        package var recoveredFrom: String?
    }

    /// What the log is told about a failure.
    package enum FailureNews: Sendable, Equatable {
        case none
        /// The server refuses connections for now; the number is how many handshakes may be under way at once from now
        /// on.
        case refused(atOnce: Int)
        case failed(WayChoice.Verdict)
    }

    /// The broker is verified and accepts the connection.
    package mutating func succeeded(_ permit: DialPermit, at now: NIODeadline) -> SuccessNews {
        widenWindow(permit, at: now)
        let change = changing { $0.succeeded(permit.way, at: now, jitter: $1) }
        let previous = with(permit.purpose) { backoff in
            defer { backoff.forgetFailures() }
            backoff.gate.succeeded()
            return backoff.isReported ? backoff.summary : nil
        }
        return SuccessNews(change: change, recoveredFrom: previous)
    }

    /// The connection could not be made. Returns what becomes of the device that waited for it, and what the log is told.
    package mutating func failed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, at now: NIODeadline
    ) -> (verdict: WayChoice.Verdict, news: FailureNews) {
        if end.isRefusal, let news = retryAfterRefusal(permit, end, at: now) { return (.again(after: .zero), news) }
        // A refused place has been given back.
        if !end.isRefusal { returnPlace(permit.place, permit.way) }
        // Nothing is wrong with the way if the broker was verified and then said no.
        let verdict =
            end.failure.map { failure in
                changing {
                    $0.failed(permit.way, failure, end.why, startedAt: permit.startedAt, at: now, jitter: $1)
                }
            } ?? .exhausted
        if case .next = verdict { hurryAll(at: now) }
        let jitter = jitter()
        let isNews = with(permit.purpose) { backoff in
            // What an attempt comes to that is older than the choice of another way is no reason why devices wait.
            if verdict != .stale { backoff.note(end.why, on: permit.way) }
            backoff.settle(verdict, of: permit, atLeast: end.pause, at: now, jitter: jitter)
            defer { backoff.isReported = backoff.isReported || verdict == .exhausted }
            return !backoff.isReported && !end.isLogged
        }
        return (verdict, isNews ? .failed(verdict) : .none)
    }

    /// The attempt was given up before it had an outcome.
    package mutating func abandoned(_ permit: DialPermit, at now: NIODeadline) {
        returnPlace(permit.place, permit.way)
        with(permit.purpose) { backoff in
            if let pass = permit.pass { backoff.gate.abandoned(pass, at: now) }
        }
    }

    /// Devices are about to come back after a loss, so they are paced.
    package mutating func disturbed(at now: NIODeadline) {
        pacer.disturbed(at: now)
    }

    /// A connection was lost to the network, so the next one is made alone to find out whether all were.
    package mutating func lost(_ purpose: UplinkPurpose, at now: NIODeadline) {
        pacer.disturbed(at: now)
        with(purpose, wakes: false) { backoff in
            if backoff.gate.isOpen { backoff.gate.again(nil, at: now) }
        }
    }

    /// The server of that way shuts down. Returns the way that connections take from now on; `nil` if it stays the same.
    package mutating func left(_ way: UplinkWay, at now: NIODeadline) -> UplinkWay? {
        let next = changing { $0.left(way, "the server is shutting down", at: now, jitter: $1) }
        if next != nil { hurryAll(at: now) }
        return next
    }

    /// No connection may be made for at least this long.
    package mutating func mustPause(_ purpose: UplinkPurpose, atLeast pause: Duration, at now: NIODeadline) {
        let jitter = jitter()
        with(purpose) { $0.gate.failed(nil, at: now, jitter: jitter, atLeast: pause) }
    }

    /// The last failure is no longer the reason why devices wait.
    package mutating func forgetFailure(_ purpose: UplinkPurpose) {
        with(purpose, wakes: false) { $0.forgetFailures() }
    }

    /// What went wrong since the last success; `nil` if nothing did.
    package func failure(_ purpose: UplinkPurpose) -> String? {
        backoffs[purpose].flatMap { $0.failures.isEmpty ? nil : $0.summary }
    }

    /// The server of the endpoint was heard after a silence; `nil` if the endpoint is not known.
    package mutating func pathAnswered(_ endpoint: Int?, at now: NIODeadline) {
        choice.pathAnswered(endpoint ?? 0, at: now)
        pacer.disturbed(at: now)
        for purpose in backoffs.keys { with(purpose) { $0.gate.pathAnswered(at: now) } }
        woken.all = true
    }

    /// Changes the choice of the way, and wakes every plan if another way is in use afterwards.
    mutating func changing<Result>(_ body: (inout WayChoice, _ jitter: Double) -> Result) -> Result {
        let previous = choice.chosen
        defer { if choice.chosen != previous { woken.all = true } }
        return body(&choice, jitter())
    }

    /// There is another way to try, whatever the connections are for.
    private mutating func hurryAll(at now: NIODeadline) {
        for purpose in backoffs.keys { backoffs[purpose]?.gate.hurry(at: now) }
    }
}

// MARK: - Better ways

extension DialPolicy {
    /// Returns whether the caller has to try the better ways from now on. Only one plan does so.
    package mutating func claimsProbing() -> Bool {
        guard choice.nextProbe != nil, !isProbed else { return false }
        isProbed = true
        return true
    }

    /// When to try the better ways; `nil` if there are none to try, after which the caller no longer probes.
    package mutating func nextProbe() -> NIODeadline? {
        if choice.nextProbe == nil { isProbed = false }
        return choice.nextProbe
    }

    /// The ways to try now, in this order until one works; empty if it is not time.
    package mutating func takeProbes(at now: NIODeadline) -> [UplinkWay] {
        choice.takeProbes(at: now)
    }

    /// One of the better ways worked. Returns the change, if there is one.
    package mutating func probeSucceeded(_ way: UplinkWay, at now: NIODeadline) -> WayChoice.Change? {
        for purpose in backoffs.keys { with(purpose) { $0.gate.succeeded() } }
        return changing { $0.probeSucceeded(way, at: now, jitter: $1) }
    }

    /// None of the better ways worked.
    package mutating func probesFailed(at now: NIODeadline) {
        choice.probesFailed(at: now, jitter: jitter())
    }

    /// The plan that probed is gone, so another one may claim probing.
    package mutating func probingEnded() {
        isProbed = false
    }
}

extension DialPolicy.Backoff {
    mutating func note(_ why: String, on way: UplinkWay) {
        failures.removeAll { $0.way == way }
        failures.append((way, why))
    }

    fileprivate mutating func forgetFailures() {
        failures = []
        isReported = false
    }

    fileprivate var summary: String {
        failures.count == 1
            ? failures[0].why
            : failures.map { "\($0.way == .tls ? "over TLS" : "over QUIC"): \($0.why)" }.joined(separator: "; ")
    }

    fileprivate mutating func settle(
        _ verdict: WayChoice.Verdict, of permit: DialPermit, atLeast pause: Duration, at now: NIODeadline,
        jitter: Double
    ) {
        guard let pass = permit.pass else { return }
        switch verdict {
        case .again(let after): gate.again(pass, at: now + TimeAmount(after))
        case .next: gate.again(pass, at: now)
        case .stale: gate.abandoned(pass, at: now)
        case .exhausted: gate.failed(pass, at: now, jitter: jitter, atLeast: pause)
        }
    }
}
