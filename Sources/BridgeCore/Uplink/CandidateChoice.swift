import NIOCore

/// Which of the ways to the broker new connections take: every endpoint over QUIC, in the operator's order, then MQTT over
/// TLS over TCP where there is a fallback.
///
/// ```
///                  a handshake of it failed: the next that has not failed
///   in use: the best ----------------------------------------------------> a lesser one
///        ^                                                                      |
///        +----- a handshake of a better one worked, tried every now and then ---+
/// ```
/// When one is left ("MQTT over QUIC", 2):
/// - The handshake had its whole time and did not finish: at once. It sends its first flight again and again within that
///   time, so another try would tell nothing new, and a device is waiting.
/// - The network failed earlier than that (nothing can be sent, no name is found): for another endpoint at once; for TLS
///   after three more tries, 1, 2 and 4 s later, or when the time of a handshake is over.
/// - The server does not speak MQTT over QUIC: at once.
/// - Its certificate is not accepted, or it refuses connections: for another endpoint at once, but none of these alone
///   leads to TLS. A wrong certificate is the operator's mistake or somebody in the middle, and both have to be seen: a
///   way around would hide them. (TLS checks the same certificates against the same authorities, so nothing is lost by
///   going there: who can drop datagrams can send us there anyway, and gains nothing by it.) A broker that has too much
///   to do does not get less by being asked over TCP.
///
/// After all have failed in a row, the one that worked last comes first again.
package struct CandidateChoice: Sendable {
    package enum Candidate: Sendable, Hashable {
        /// `uplink.endpoints`, by its place.
        case quic(Int)
        case tls
    }

    /// Why there is no connection, as far as it matters here.
    package enum Failure: Sendable, Hashable, CaseIterable {
        /// The handshake had all its time and did not finish.
        case unanswered
        /// The network, earlier than that.
        case network
        /// The server speaks no MQTT over QUIC.
        case alpnMismatch
        /// One of the two sides does not accept the other's certificate.
        case certificate
        /// The server is there, and takes nobody now.
        case refused
        case other
    }

    package enum Verdict: Sendable, Equatable {
        /// The same once more, after that time.
        case again(after: Duration)
        /// Another way, at once.
        case next(Candidate)
        /// None is left to try now.
        case exhausted
        /// Said of a way that has been left meanwhile, or of an attempt as old as one that has failed already: no news.
        case stale
    }

    /// Worth a line in the log: connections go another way from now on.
    package struct Change: Sendable, Equatable {
        package let from: Candidate
        package let to: Candidate
        /// What was wrong with the better one; nil where it works again.
        package let why: String?

        package init(from: Candidate, to: Candidate, why: String?) {
            self.from = from
            self.to = to
            self.why = why
        }
    }

    /// How often better ways are tried.
    package struct Probing: Sendable, Equatable {
        package var first: Duration
        package var longest: Duration

        package init(first: Duration = .seconds(30), longest: Duration = .seconds(600)) {
            self.first = first
            self.longest = longest
        }
    }

    /// Tries after the first that failed, and how long to wait before each.
    private static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]

    /// The failures since the last success.
    private struct Round {
        let startedAt: NIODeadline
        /// Attempts that began earlier are as old as one that failed.
        var newestFailure: NIODeadline
        /// Of the one in use.
        var failures = 0
        var failed: Set<Int> = []
        /// A reason that leads to TLS.
        var leadsToTLS = false
    }

    private let candidates: [Candidate]
    private let patience: TimeAmount
    private let probing: Probing
    private var current = 0
    /// The last that worked; the best, where none has yet.
    private var lastGood = 0
    private var round: Round?
    /// All failed, and none has worked since.
    package private(set) var isDark = false
    /// What was wrong with the last better one that failed.
    private var lastFailure: String?
    private var interval: TimeAmount
    private var isProbing = false
    /// When the better ones are to be tried; nil: there are none, or they are being tried.
    package private(set) var nextProbe: NIODeadline?
    private var returnedAt: NIODeadline?

    /// - Parameters:
    ///   - endpoints: At least 1.
    ///   - patience: Of a handshake.
    package init(endpoints: Int, hasFallback: Bool, patience: Duration, probing: Probing = Probing()) {
        precondition(endpoints > 0, "there is no uplink without an endpoint")
        self.candidates = (0..<endpoints).map { .quic($0) } + (hasFallback ? [.tls] : [])
        self.patience = TimeAmount(patience)
        self.probing = probing
        self.interval = TimeAmount(probing.first)
    }

    /// The one that new connections take.
    package var chosen: Candidate { candidates[current] }

    package var hasAlternatives: Bool { candidates.count > 1 }

    /// Whether one of them is preferred to the other.
    package func isBetter(_ candidate: Candidate, than other: Candidate) -> Bool {
        rank(candidate) < rank(other)
    }

    private func rank(_ candidate: Candidate) -> Int {
        switch candidate {
        case .quic(let index): index
        case .tls: candidates.count - 1
        }
    }
}

// MARK: - Outcomes

extension CandidateChoice {
    /// A handshake failed. `why` is a sentence for people, and `jitter` a random number from 0 to 1.
    package mutating func failed(
        _ candidate: Candidate, _ failure: Failure, _ why: String, startedAt: NIODeadline, at now: NIODeadline,
        jitter: Double
    ) -> Verdict {
        guard hasAlternatives else { return .exhausted }
        guard candidate == chosen, startedAt >= round?.newestFailure ?? startedAt else {
            return isDark ? .exhausted : .stale
        }
        var round = round ?? Round(startedAt: startedAt, newestFailure: now)
        round.newestFailure = now
        round.failures += 1
        if candidate != .tls { lastFailure = why }
        switch failure {
        case .unanswered, .network, .alpnMismatch: round.leadsToTLS = true
        case .certificate, .refused, .other: break
        }
        if failure == .network, let pause = pauseBeforeAnotherTry(round, at: now) {
            self.round = round
            return .again(after: pause)
        }
        let verdict = leave(round)
        schedule(at: now, jitter: jitter)
        return verdict
    }

    /// Nil where the next has its turn.
    private func pauseBeforeAnotherTry(_ round: Round, at now: NIODeadline) -> Duration? {
        guard next(round.failed.union([current])).map({ candidates[$0] }) == .tls,
            round.failures <= Self.pauses.count, now < round.startedAt + patience
        else { return nil }
        return Self.pauses[round.failures - 1]
    }

    private func next(_ failed: Set<Int>) -> Int? {
        candidates.indices.first { !failed.contains($0) }
    }

    private mutating func leave(_ round: Round) -> Verdict {
        var round = round
        round.failed.insert(current)
        round.failures = 0
        if let next = next(round.failed), candidates[next] != .tls || round.leadsToTLS {
            current = next
            self.round = round
            return .next(chosen)
        }
        current = lastGood
        isDark = true
        self.round = nil
        return .exhausted
    }

    /// A handshake worked. The change, where this one was not in use.
    package mutating func succeeded(_ candidate: Candidate, at now: NIODeadline, jitter: Double) -> Change? {
        // Of an attempt that is older than the choice of a better one.
        guard rank(candidate) <= current || isDark else { return nil }
        let previous = lastGood
        current = rank(candidate)
        lastGood = current
        round = nil
        isDark = false
        if current < previous { returnedAt = now }
        schedule(at: now, jitter: jitter)
        guard current != previous else { return nil }
        return Change(
            from: candidates[previous], to: candidate, why: previous < current ? lastFailure ?? "" : nil)
    }

    /// As long as a lesser one is in use the better ones are tried.
    private mutating func schedule(at now: NIODeadline, jitter: Double) {
        guard current > 0 else {
            nextProbe = nil
            return
        }
        guard nextProbe == nil, !isProbing else { return }
        if lastGood < current {
            // One that works for a moment only is not tried as often as one that has been good for long.
            let wasShort = returnedAt.map { now - $0 < interval } ?? false
            interval = wasShort ? longer(interval) : TimeAmount(probing.first)
        }
        nextProbe = now + jittered(jitter)
    }

    /// The server of an endpoint was heard, though without a handshake: after an outage, that is where to go.
    package mutating func pathAnswered(_ endpoint: Int, at now: NIODeadline) {
        guard hasAlternatives, endpoint < candidates.count, case .quic = candidates[endpoint] else { return }
        if isDark {
            current = endpoint
            round = nil
        } else if round != nil, endpoint < current {
            // In the middle of the search: what was given up for unanswered answers after all.
            current = endpoint
            round = nil
        } else if endpoint < current, nextProbe != nil {
            nextProbe = now
        }
    }
}

// MARK: - Probing

extension CandidateChoice {
    /// The better ones, to be tried by a handshake that carries nothing, in this order until one works; empty where it is
    /// not time. ``succeeded(_:at:jitter:)`` or ``probesFailed(at:jitter:)`` follows.
    package mutating func takeProbes(at now: NIODeadline) -> [Candidate] {
        guard let due = nextProbe, due <= now, current > 0 else { return [] }
        nextProbe = nil
        isProbing = true
        return Array(candidates[..<current])
    }

    /// None of them worked, or nobody is there any more to try.
    package mutating func probesFailed(at now: NIODeadline, jitter: Double) {
        isProbing = false
        interval = longer(interval)
        nextProbe = current > 0 ? now + jittered(jitter) : nil
    }

    /// One worked.
    package mutating func probeSucceeded(_ candidate: Candidate, at now: NIODeadline, jitter: Double) -> Change? {
        isProbing = false
        return succeeded(candidate, at: now, jitter: jitter)
    }

    private func longer(_ interval: TimeAmount) -> TimeAmount {
        min(interval * 2, TimeAmount(probing.longest))
    }

    /// A quarter more or less, so that many gateways do not come in step.
    private func jittered(_ jitter: Double) -> TimeAmount {
        .nanoseconds(Int64(Double(interval.nanoseconds) * (0.75 + min(max(jitter, 0), 1) / 2)))
    }
}
