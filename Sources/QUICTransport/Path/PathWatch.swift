import NIOCore

/// Tells whether the path of one QUIC connection still works, from what the connection sent and what came back.
///
/// ```
///   healthy -- unanswered for the patience --> silent -- the server answers others --> hurried
///      ^                                        |  ^                                   |  |  |
///      +----------- a datagram came ------------+--|-----------------------------------+  |  |
///                                                  +--- the server stops answering --------+  |
///                                                                                            |
///   dead <-- the patience has passed again, in which eight attempts had no answer either, ----+
///            and the server still answers others
/// ```
/// Silence alone ends no connection here: during an outage there is nothing better than to keep it. Only a server that
/// answers, but not on this connection, has forgotten it or no longer finds its way to it. A path that loses a third of
/// all datagrams in each direction looks the same for as long as four attempts take once in twelve times, and for as
/// long as eight take once in two hundred.
package struct PathWatch: Sendable {
    /// What the connection knows about itself.
    package struct Facts: Sendable {
        /// When the first datagram went out that nothing has answered; `nil` if nothing waits for an answer.
        package var unansweredSince: NIODeadline?
        /// When the peer's last datagram came.
        package var lastReceived: NIODeadline
        /// When the last datagram went out that the peer has to answer.
        package var lastSent: NIODeadline?
        /// The probe timeout (RFC 9002 6.2), without its backoff.
        package var probeTimeout: Duration

        package init(
            unansweredSince: NIODeadline?, lastReceived: NIODeadline, lastSent: NIODeadline?, probeTimeout: Duration
        ) {
            self.unansweredSince = unansweredSince
            self.lastReceived = lastReceived
            self.lastSent = lastSent
            self.probeTimeout = probeTimeout
        }
    }

    /// What a look at the path has shown.
    package enum Finding: Sendable, Hashable {
        /// Nothing has changed.
        case nothing
        /// As far as is known, nothing that is sent arrives from now on.
        case silent
        /// The server is there: send once more what is unanswered.
        case again
        /// The connection works again. The peer's previous datagram came that long ago, so the peer has heard nothing
        /// for no longer than that.
        case answered(after: Duration)
        /// The connection will not come back.
        case dead
    }

    private enum State: Sendable {
        case healthy
        /// The peer's last datagram came at `heardAt`.
        case silent(heardAt: NIODeadline)
        case hurried(Hurried)
        case dead
    }

    /// The server answers others, and what is unanswered here is sent again and again.
    private struct Hurried: Sendable {
        let heardAt: NIODeadline
        /// When the server answered others for the first time, and the last time.
        let since: NIODeadline
        var lastAnswer: NIODeadline
        /// When it was last asked for that something is sent.
        var lastAsked: NIODeadline
        /// The last datagram that counts as an attempt. A full congestion window may hold back what was asked for.
        var lastAttempt: NIODeadline
        var attempts = 0
        /// How often it was asked for, the first time by the server's answer.
        var asked = 1

        init(heardAt: NIODeadline, since: NIODeadline) {
            self.heardAt = heardAt
            self.since = since
            self.lastAnswer = since
            self.lastAsked = since
            self.lastAttempt = since - .nanoseconds(1)
        }

        mutating func count(_ sent: NIODeadline?) {
            guard let sent, sent > lastAttempt else { return }
            lastAttempt = sent
            attempts += 1
        }

        /// Returns whether to send again now.
        mutating func isDue(at now: NIODeadline, pause: Duration) -> Bool {
            guard now >= lastAsked + TimeAmount(pause) else { return false }
            lastAsked = now
            asked += 1
            return true
        }
    }

    /// The shortest time between two attempts. Look at a connection that ``isHurried`` as often as this.
    package static let attemptPause = Duration.milliseconds(125)
    private static let attempts = 8
    /// For how many times its patience a connection is kept on which fewer attempts are possible.
    private static let longestWait = 3

    /// A server that answers steadily is heard within this time, whatever the round trip.
    private static let leastPatience = Duration.seconds(1)

    private let timeout: Duration?
    private var state = State.healthy

    /// - Parameter timeout: How long an answer may take. `nil` stands for three probe timeouts, and at least 1 s.
    package init(timeout: Duration?) {
        self.timeout = timeout
    }

    /// Whether nothing comes back on the connection, which is still open.
    package var isSilent: Bool {
        switch state {
        case .healthy: false
        case .silent, .hurried, .dead: true
        }
    }

    /// Whether the server answers others, so that it pays to send again.
    package var isHurried: Bool {
        if case .hurried = state { true } else { false }
    }

    /// Returns what follows from the facts now. Each finding but ``Finding/again`` is returned once.
    package mutating func look(_ facts: Facts, at now: NIODeadline) -> Finding {
        switch state {
        case .healthy:
            guard let since = facts.unansweredSince, now >= since + TimeAmount(patience(facts)) else { return .nothing }
            state = .silent(heardAt: facts.lastReceived)
            return .silent
        case .silent(let heardAt):
            return answer(facts, since: heardAt) ?? .nothing
        case .hurried(let hurried):
            return answer(facts, since: hurried.heardAt) ?? look(hurried, facts, at: now)
        case .dead:
            return .nothing
        }
    }

    /// The server answered, though not on this connection. Returns whether to send again now what is unanswered; after
    /// that, ``look(_:at:)`` says when to do so.
    package mutating func serverAnswered(at now: NIODeadline) -> Bool {
        switch state {
        case .healthy, .dead:
            return false
        case .silent(let heardAt):
            state = .hurried(Hurried(heardAt: heardAt, since: now))
            return true
        case .hurried(var hurried):
            hurried.lastAnswer = max(hurried.lastAnswer, now)
            state = .hurried(hurried)
            return false
        }
    }

    private mutating func answer(_ facts: Facts, since heardAt: NIODeadline) -> Finding? {
        guard facts.lastReceived > heardAt else { return nil }
        state = .healthy
        return .answered(after: .nanoseconds((facts.lastReceived - heardAt).nanoseconds))
    }

    private mutating func look(_ current: Hurried, _ facts: Facts, at now: NIODeadline) -> Finding {
        let patience = patience(facts)
        guard now < current.lastAnswer + TimeAmount(max(patience, Self.leastPatience)) else {
            // The link was back only for a moment.
            state = .silent(heardAt: current.heardAt)
            return .nothing
        }
        let pause = max(patience / Self.attempts, Self.attemptPause)
        var hurried = current
        hurried.count(facts.lastSent)
        // One answer may be the last before the next outage, so the server has to keep answering until the end.
        let needed = min(Self.attempts, Int(patience / pause))
        // A full congestion window lets less out than is asked for, and near the idle timeout nothing at all.
        let isEnough =
            hurried.attempts >= needed
            || (hurried.asked >= needed && now >= current.since + TimeAmount(patience * Self.longestWait))
        if now >= current.since + TimeAmount(patience), current.lastAnswer >= current.since + TimeAmount(patience / 2),
            isEnough
        {
            state = .dead
            return .dead
        }
        let isDue = hurried.isDue(at: now, pause: pause)
        state = .hurried(hurried)
        return isDue ? .again : .nothing
    }

    private func patience(_ facts: Facts) -> Duration {
        timeout ?? max(facts.probeTimeout * 3, Self.leastPatience)
    }
}
