import NIOCore
import QUICTransport

/// Decides on which way to the broker a link is made, when, and for how long it is tried. One for each client, because
/// it remembers whether QUIC worked lately. Nothing here makes a connection.
///
/// ```
///   idle ── begin ──▶ dialing ── opened ──▶ idle
///                     │  ▲  └─── failed, nothing is left to try ──▶ idle
///              failed │  │ the pause is over
///                     ▼  │
///                    pausing
/// ```
/// The rules are those of "MQTT Over QUIC", 2:
/// - A handshake that does not finish within its time leads to TLS at once: it repeats its first flight within that
///   time, so another attempt would show nothing new.
/// - If the network fails earlier, QUIC is tried up to three more times, 1, 2 and 4 s later, until the time of a handshake
///   is over. Then TLS is tried.
/// - A server that does not speak the protocol over QUIC leads to TLS at once.
/// - A certificate that is not accepted ends the attempt. It is a mistake or an attack, and a way around it would hide
///   both.
/// - A server that refuses the handshake is there, and has room again some milliseconds later. It is asked again for as
///   long as there is time, and never over TLS, because an overloaded broker is not relieved by being asked over TCP.
///
/// The CONNECT packet is never on two ways: a way is tried only after the attempt on the other one has ended.
struct LinkPlan: Sendable {
    struct Rules: Sendable, Equatable {
        /// Whether there is a fallback.
        var hasFallback: Bool
        /// Whether the fallback has the host that QUIC has: then a name that is not found is not found for both.
        var isSameHost: Bool
        /// How long a handshake over QUIC may take.
        var handshakeTimeout: Duration
        /// How long all attempts together may take.
        var budget: Duration
    }

    /// What a failed attempt has shown.
    enum Obstacle: Sendable, Hashable {
        /// The host's name was not found.
        case name
        case connection(ConnectFailure)
    }

    /// What to do now.
    enum Step: Sendable, Equatable {
        /// Try that way. Its outcome has to be reported.
        case dial(LinkWay, within: Duration)
        /// Call ``LinkPlan/resume(at:)`` at that time.
        case wait(until: NIODeadline)
        /// Nothing is left to try.
        case giveUp
    }

    private enum State: Sendable, Equatable {
        case idle
        case dialing(LinkWay)
        case pausing(LinkWay)
    }

    /// The attempts since the link was asked for.
    private struct Round: Sendable {
        var startedAt: NIODeadline
        /// The ways that are not tried any more.
        var exhausted: Set<LinkWay> = []
        /// How often the way in use has failed.
        var failures = 0
        /// How often the server has refused in a row.
        var refusals = 0
    }

    /// The pauses before the attempts that follow an early failure of the network.
    static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]
    /// The limits of the pause after a refusal, before its jitter.
    static let shortestRefusalPause = Duration.milliseconds(5)
    static let longestRefusalPause = Duration.seconds(1)
    /// For how long TLS is tried first after QUIC had not worked, the first time; this doubles each time up to the
    /// longest.
    static let firstAvoidance = Duration.seconds(30)
    static let longestAvoidance = Duration.seconds(600)
    /// No attempt is begun that has less time than this.
    private static let leastTime = TimeAmount.milliseconds(100)

    private let rules: Rules
    private var state = State.idle
    private var round: Round?
    /// Until when TLS is tried first.
    private var avoidsQUICUntil = NIODeadline.distantPast
    private var avoidance = firstAvoidance

    init(_ rules: Rules) {
        self.rules = rules
    }

    /// A link is asked for. What went before is over.
    mutating func begin(at now: NIODeadline) -> Step {
        round = Round(startedAt: now)
        return dial(rules.hasFallback && now < avoidsQUICUntil ? .tls : .quic, at: now)
    }

    /// The pause is over.
    mutating func resume(at now: NIODeadline) -> Step {
        guard case .pausing(let way) = state else { return .giveUp }
        return dial(way, at: now)
    }

    /// The way works.
    mutating func opened(_ way: LinkWay, at now: NIODeadline) {
        if way == .quic {
            avoidsQUICUntil = .distantPast
            avoidance = Self.firstAvoidance
        } else if round?.exhausted.contains(.quic) == true {
            avoidsQUICUntil = now + TimeAmount(avoidance)
            avoidance = min(avoidance * 2, Self.longestAvoidance)
        }
        end()
    }

    /// The link is no longer wanted.
    mutating func end() {
        state = .idle
        round = nil
    }

    /// An attempt has failed.
    ///
    /// - Parameter jitter: A random number from 0 to 1.
    mutating func failed(_ way: LinkWay, _ obstacle: Obstacle, at now: NIODeadline, jitter: Double) -> Step {
        guard case .dialing(way) = state, var round else { return .giveUp }
        round.failures += 1
        self.round = round
        switch obstacle {
        case .connection(.certificate), .connection(.other):
            return giveUp()
        case .connection(.refused):
            return way == .quic ? refused(at: now, jitter: jitter) : leave(way, at: now)
        case .connection(.unanswered), .connection(.alpnMismatch):
            return leave(way, at: now)
        case .connection(.network):
            return networkFailed(way, round, at: now)
        case .name:
            return rules.isSameHost ? giveUp() : leave(way, at: now)
        }
    }

    /// Whether an attempt is under way.
    var isDialing: Bool {
        if case .dialing = state { true } else { false }
    }

    // MARK: - What follows

    private mutating func networkFailed(_ way: LinkWay, _ round: Round, at now: NIODeadline) -> Step {
        guard way == .quic, isUntried(.tls), round.failures <= Self.pauses.count,
            now < round.startedAt + TimeAmount(rules.handshakeTimeout)
        else { return leave(way, at: now) }
        return pause(Self.pauses[round.failures - 1], before: way, at: now) ?? leave(way, at: now)
    }

    private mutating func refused(at now: NIODeadline, jitter: Double) -> Step {
        let doublings = min(round?.refusals ?? 0, 8)
        round?.refusals += 1
        let pause = min(Self.shortestRefusalPause * (1 << doublings), Self.longestRefusalPause)
        return self.pause(pause * (0.5 + min(max(jitter, 0), 1)), before: .quic, at: now) ?? giveUp()
    }

    /// `nil` if there is no time for another attempt after the pause.
    private mutating func pause(_ pause: Duration, before way: LinkWay, at now: NIODeadline) -> Step? {
        let until = now + TimeAmount(pause)
        guard let limit, until + Self.leastTime <= limit else { return nil }
        state = .pausing(way)
        return .wait(until: until)
    }

    private mutating func leave(_ way: LinkWay, at now: NIODeadline) -> Step {
        round?.exhausted.insert(way)
        round?.failures = 0
        let other: LinkWay = way == .quic ? .tls : .quic
        return isUntried(other) ? dial(other, at: now) : giveUp()
    }

    private mutating func dial(_ way: LinkWay, at now: NIODeadline) -> Step {
        guard let limit, now + Self.leastTime <= limit else { return giveUp() }
        state = .dialing(way)
        let left = Duration(limit - now)
        guard way == .quic else { return .dial(way, within: left) }
        // The other way needs some of the time.
        let share = isUntried(.tls) ? min(left, rules.budget * 2 / 3) : left
        return .dial(way, within: min(rules.handshakeTimeout, share))
    }

    private mutating func giveUp() -> Step {
        end()
        return .giveUp
    }

    private var limit: NIODeadline? { round.map { $0.startedAt + TimeAmount(rules.budget) } }

    private func isUntried(_ way: LinkWay) -> Bool {
        (way == .quic || rules.hasFallback) && round?.exhausted.contains(way) == false
    }
}
