import NIOCore

/// Tells whether the path of one QUIC connection still works, from what the connection sent and what came back.
///
/// ```
///   healthy -- unanswered for the patience --> silent -- the server answers others --> hurried
///      ^                                        |  ^                                   |  |  |
///      +----------- a datagram came ------------+--|-----------------------------------+  |  |
///                                                  +--- the server stops answering --------+  |
///                                                                                            |
///   dead <-- the patience has passed again, and the server still answers others -------------+
/// ```
/// Silence alone never ends a connection: during an outage there is nothing better than to keep it. Only a server that
/// answers, but not on this connection, has forgotten it or no longer finds its way to it.
package struct PathWatch: Sendable {
    /// What the connection knows about itself.
    package struct Facts: Sendable {
        /// When the first datagram went out that nothing has answered; `nil` if nothing waits for an answer.
        package var unansweredSince: NIODeadline?
        /// When the peer's last datagram came.
        package var lastReceived: NIODeadline
        /// The probe timeout (RFC 9002 6.2), without its backoff.
        package var probeTimeout: Duration

        package init(unansweredSince: NIODeadline?, lastReceived: NIODeadline, probeTimeout: Duration) {
            self.unansweredSince = unansweredSince
            self.lastReceived = lastReceived
            self.probeTimeout = probeTimeout
        }
    }

    /// What a look at the path has shown.
    package enum Finding: Sendable, Equatable {
        /// Nothing has changed.
        case nothing
        /// As far as is known, nothing that is sent arrives from now on.
        case silent
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
        /// The server has answered others, for the first time at `since`.
        case hurried(heardAt: NIODeadline, since: NIODeadline, lastAnswer: NIODeadline)
        case dead
    }

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

    /// Returns what follows from the facts now. Each finding is returned once.
    package mutating func look(_ facts: Facts, at now: NIODeadline) -> Finding {
        switch state {
        case .healthy:
            guard let since = facts.unansweredSince, now >= since + TimeAmount(patience(facts)) else { return .nothing }
            state = .silent(heardAt: facts.lastReceived)
            return .silent
        case .silent(let heardAt):
            return answer(facts, since: heardAt) ?? .nothing
        case .hurried(let heardAt, let since, let lastAnswer):
            if let finding = answer(facts, since: heardAt) { return finding }
            return hurried(facts, heardAt, since, lastAnswer, at: now)
        case .dead:
            return .nothing
        }
    }

    /// The server answered, though not on this connection. Returns whether to send again now what is unanswered.
    package mutating func serverAnswered(at now: NIODeadline) -> Bool {
        switch state {
        case .healthy, .dead:
            return false
        case .silent(let heardAt):
            state = .hurried(heardAt: heardAt, since: now, lastAnswer: now)
            return true
        case .hurried(let heardAt, let since, let lastAnswer):
            state = .hurried(heardAt: heardAt, since: since, lastAnswer: max(lastAnswer, now))
            return true
        }
    }

    private mutating func answer(_ facts: Facts, since heardAt: NIODeadline) -> Finding? {
        guard facts.lastReceived > heardAt else { return nil }
        state = .healthy
        return .answered(after: .nanoseconds((facts.lastReceived - heardAt).nanoseconds))
    }

    private mutating func hurried(
        _ facts: Facts, _ heardAt: NIODeadline, _ since: NIODeadline, _ lastAnswer: NIODeadline, at now: NIODeadline
    ) -> Finding {
        let patience = patience(facts)
        guard now < lastAnswer + TimeAmount(max(patience, Self.leastPatience)) else {
            // The link was back only for a moment.
            state = .silent(heardAt: heardAt)
            return .nothing
        }
        // One answer may be the last before the next outage, so the server has to keep answering until the end.
        guard now >= since + TimeAmount(patience), lastAnswer >= since + TimeAmount(patience / 2) else {
            return .nothing
        }
        state = .dead
        return .dead
    }

    private func patience(_ facts: Facts) -> Duration {
        timeout ?? max(facts.probeTimeout * 3, Self.leastPatience)
    }
}
