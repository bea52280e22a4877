import NIOCore

/// Chooses the way that new connections take: an endpoint over QUIC, in the operator's order, then the fallback, which is
/// MQTT over TLS over TCP.
///
/// ```
///                     its handshake failed: the next way that has not failed
///   in use: the best ----------------------------------------------------------> a lesser way
///        ^                                                                          |
///        +--------- a handshake over a better way worked; one is tried regularly ---+
/// ```
/// How soon a way is left depends on the failure ("MQTT over QUIC", 2):
/// - The handshake did not finish within its time: at once. It repeats its first flight within that time, so another
///   attempt would show nothing new, and a device is waiting.
/// - The network failed earlier (nothing can be sent, or the name is not found): at once for another endpoint. For TLS
///   after three more attempts, 1, 2 and 4 s later, or when the time of a handshake is over.
/// - The server does not speak MQTT over QUIC: at once.
/// - Its certificate is not accepted, or it refuses connections: at once for another endpoint, but neither reason alone
///   leads to TLS. A wrong certificate is the operator's mistake or an attack, and a way around it would hide both. (TLS
///   checks the same certificates against the same authorities, so an attacker who can drop datagrams, and so force the
///   fallback, gains nothing.) An overloaded broker is not relieved by being asked over TCP.
///
/// When all ways have failed in a row, the one that worked last is tried first again.
package struct WayChoice: Sendable {
    /// What follows from a failed handshake.
    package enum Verdict: Sendable, Equatable {
        /// Try the same way again after that time.
        case again(after: Duration)
        /// Try another way at once.
        case next(UplinkWay)
        /// No way is left to try now.
        case exhausted
        /// The way is no longer in use, or the attempt is as old as one that has already failed.
        case stale
    }

    /// New connections take another way from now on.
    package struct Change: Sendable, Equatable {
        package let from: UplinkWay
        package let to: UplinkWay
        /// What was wrong with the better way; `nil` if the change is back to a better one.
        package let why: String?

        package init(from: UplinkWay, to: UplinkWay, why: String?) {
            self.from = from
            self.to = to
            self.why = why
        }
    }

    /// How often better ways are tried: the first interval, which doubles after each failure up to the longest.
    package struct Probing: Sendable, Equatable {
        package var first: Duration
        package var longest: Duration

        package init(first: Duration = .seconds(30), longest: Duration = .seconds(600)) {
            self.first = first
            self.longest = longest
        }
    }

    /// The pauses before the attempts that follow an early failure of the network.
    private static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]

    /// The failures since the last success.
    private struct Round {
        let startedAt: NIODeadline
        /// An attempt that began before this says nothing new when it fails.
        var newestFailure: NIODeadline
        /// How often the way in use has failed.
        var failures = 0
        /// Indices of the ways that have failed.
        var failed: Set<Int> = []
        /// Whether one of the failures justifies the fallback.
        var leadsToTLS = false
    }

    private let ways: [UplinkWay]
    private let patience: TimeAmount
    private let probing: Probing
    /// The index of the way in use.
    private var current = 0
    /// The index of the way that worked last; before any has worked, the index of the best way.
    private var lastGood = 0
    /// When a handshake over it last worked.
    private var provenAt: NIODeadline?
    private var round: Round?
    /// The ways whose servers shut down, the earliest first. Such a server still answers, so only a handshake that
    /// carries nothing brings its way back, unless all others have failed.
    private var closing: [Int] = []
    /// Whether all ways have failed and none has worked since.
    package private(set) var isDark = false
    /// What was wrong with the last better way that failed.
    private var lastFailure: String?
    private var interval: TimeAmount
    private var isProbing = false
    /// When to try the better ways; `nil` if there are none, or they are being tried.
    package private(set) var nextProbe: NIODeadline?
    private var returnedAt: NIODeadline?

    /// - Parameters:
    ///   - endpoints: The number of endpoints, at least 1.
    ///   - patience: How long a handshake may take.
    package init(endpoints: Int, hasFallback: Bool, patience: Duration, probing: Probing = Probing()) {
        precondition(endpoints > 0, "there is no uplink without an endpoint")
        self.ways = (0..<endpoints).map { .quic($0) } + (hasFallback ? [.tls] : [])
        self.patience = TimeAmount(patience)
        self.probing = probing
        self.interval = TimeAmount(probing.first)
    }

    /// The way that new connections take.
    package var chosen: UplinkWay { ways[current] }

    /// Whether there is more than one way.
    package var hasAlternatives: Bool { ways.count > 1 }

    /// The way in use, if a handshake over it has worked since that time and none has failed after that.
    package func proven(since time: NIODeadline) -> UplinkWay? {
        guard let provenAt, provenAt > time, round == nil, !isDark, lastGood == current else { return nil }
        return chosen
    }

    /// The ways that are not taken because their servers shut down.
    package var leftWays: Set<UplinkWay> { Set(closing.map { ways[$0] }) }

    private mutating func use(_ index: Int) {
        current = index
        closing.removeAll { $0 == index }
    }

    private func index(of way: UplinkWay) -> Int {
        switch way {
        case .quic(let index): index
        case .tls: ways.count - 1
        }
    }
}

// MARK: - Outcomes

extension WayChoice {
    /// A handshake failed.
    ///
    /// - Parameters:
    ///   - why: A sentence for the log.
    ///   - jitter: A random number from 0 to 1.
    package mutating func failed(
        _ way: UplinkWay, _ failure: UplinkWay.Failure, _ why: String, startedAt: NIODeadline, at now: NIODeadline,
        jitter: Double
    ) -> Verdict {
        guard hasAlternatives else { return .exhausted }
        guard way == chosen, startedAt >= round?.newestFailure ?? startedAt else {
            return isDark ? .exhausted : .stale
        }
        var round = round ?? Round(startedAt: startedAt, newestFailure: now)
        round.newestFailure = now
        round.failures += 1
        if way != .tls { lastFailure = why }
        switch failure {
        case .unanswered, .network, .alpnMismatch: round.leadsToTLS = true
        case .certificate, .refused, .other: break
        }
        if failure == .network, let pause = pauseBeforeAnotherAttempt(round, at: now) {
            self.round = round
            return .again(after: pause)
        }
        let verdict = leave(round)
        scheduleProbe(at: now, jitter: jitter)
        return verdict
    }

    /// `nil` if the next way has to be tried instead.
    private func pauseBeforeAnotherAttempt(_ round: Round, at now: NIODeadline) -> Duration? {
        guard next(round.failed.union([current]), toTLS: true).map({ ways[$0] }) == .tls,
            round.failures <= Self.pauses.count, now < round.startedAt + patience
        else { return nil }
        return Self.pauses[round.failures - 1]
    }

    /// Ways that were left are the last that are tried.
    private func next(_ failed: Set<Int>, toTLS: Bool) -> Int? {
        let untried = ways.indices.filter { !failed.contains($0) && (toTLS || ways[$0] != .tls) }
        return untried.first { !closing.contains($0) } ?? closing.first { untried.contains($0) }
    }

    /// The server of that endpoint shuts down. The next endpoint that has not failed is used at once, if there is one; this
    /// alone does not lead to TLS. Returns the way to use from now on; `nil` if it stays the same.
    package mutating func left(_ way: UplinkWay, _ why: String, at now: NIODeadline, jitter: Double) -> UplinkWay? {
        guard ways.contains(way) else { return nil }
        guard way == chosen else {
            if way != .tls, !closing.contains(index(of: way)) { closing.append(index(of: way)) }
            return nil
        }
        guard let next = next((round?.failed ?? []).union([current]), toTLS: false) else { return nil }
        closing.append(current)
        var round = round ?? Round(startedAt: now, newestFailure: now)
        round.failed.insert(current)
        round.failures = 0
        round.newestFailure = now
        lastFailure = why
        use(next)
        self.round = round
        scheduleProbe(at: now, jitter: jitter)
        return chosen
    }

    private mutating func leave(_ round: Round) -> Verdict {
        var round = round
        round.failed.insert(current)
        round.failures = 0
        if let next = next(round.failed, toTLS: round.leadsToTLS) {
            use(next)
            self.round = round
            return .next(chosen)
        }
        // A server that shuts down is no good any more.
        use(closing.contains(lastGood) ? next([], toTLS: false) ?? lastGood : lastGood)
        isDark = true
        self.round = nil
        return .exhausted
    }

    /// A handshake worked. Returns the change if the way was not the one in use.
    package mutating func succeeded(_ way: UplinkWay, at now: NIODeadline, jitter: Double) -> Change? {
        // The attempt may be older than the choice of a better way, or than the news that its server shuts down.
        guard isDark || (index(of: way) <= current && !closing.contains(index(of: way))) else { return nil }
        return worked(way, at: now, jitter: jitter)
    }

    private mutating func worked(_ way: UplinkWay, at now: NIODeadline, jitter: Double) -> Change? {
        let previous = lastGood
        use(index(of: way))
        lastGood = current
        provenAt = now
        round = nil
        isDark = false
        if current < previous { returnedAt = now }
        scheduleProbe(at: now, jitter: jitter)
        guard current != previous else { return nil }
        return Change(from: ways[previous], to: way, why: previous < current ? lastFailure ?? "" : nil)
    }

    /// The better ways are tried for as long as a lesser one is in use.
    private mutating func scheduleProbe(at now: NIODeadline, jitter: Double) {
        guard current > 0 else {
            nextProbe = nil
            return
        }
        guard nextProbe == nil, !isProbing else { return }
        if lastGood < current {
            // A way that works only for a moment is tried less often than one that has worked for long.
            let wasShort = returnedAt.map { now - $0 < interval } ?? false
            interval = wasShort ? longer(interval) : TimeAmount(probing.first)
        }
        nextProbe = now + jittered(jitter)
    }

    /// The server of an endpoint was heard, though not in a handshake: after an outage this endpoint is tried first.
    package mutating func pathAnswered(_ endpoint: Int, at now: NIODeadline) {
        // A server that shuts down answers, too.
        guard hasAlternatives, endpoint < ways.count, case .quic = ways[endpoint],
            isDark || !closing.contains(endpoint)
        else { return }
        if isDark || (round != nil && endpoint < current) {
            // The search is not over: an endpoint that was given up as unanswered answers after all.
            use(endpoint)
            round = nil
        } else if endpoint < current, nextProbe != nil {
            nextProbe = now
        }
    }
}

// MARK: - Probing

extension WayChoice {
    /// The better ways, each to be tried by a handshake that carries nothing, in this order until one works; empty if
    /// it is not time. ``probeSucceeded(_:at:jitter:)`` or ``probesFailed(at:jitter:)`` must follow.
    package mutating func takeProbes(at now: NIODeadline) -> [UplinkWay] {
        guard let due = nextProbe, due <= now, current > 0 else { return [] }
        nextProbe = nil
        isProbing = true
        return Array(ways[..<current])
    }

    /// None of the better ways worked, or the prober is gone.
    package mutating func probesFailed(at now: NIODeadline, jitter: Double) {
        isProbing = false
        interval = longer(interval)
        nextProbe = current > 0 ? now + jittered(jitter) : nil
    }

    /// One of the better ways worked.
    package mutating func probeSucceeded(_ way: UplinkWay, at now: NIODeadline, jitter: Double) -> Change? {
        isProbing = false
        guard index(of: way) <= current || isDark else { return nil }
        return worked(way, at: now, jitter: jitter)
    }

    private func longer(_ interval: TimeAmount) -> TimeAmount {
        min(interval * 2, TimeAmount(probing.longest))
    }

    /// The interval, shorter or longer by up to a quarter, so that many gateways do not probe in step.
    private func jittered(_ jitter: Double) -> TimeAmount {
        .nanoseconds(Int64(Double(interval.nanoseconds) * (0.75 + min(max(jitter, 0), 1) / 2)))
    }
}
