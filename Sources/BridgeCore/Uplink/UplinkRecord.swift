import NIOCore

/// What the attempts to reach the broker have come to, for whoever asks whether it can be reached.
package struct UplinkRecord: Sendable, Equatable {
    /// How long a success or a failure says something about the present.
    package static let memory = TimeAmount.seconds(60)

    /// When an attempt last succeeded; `nil` if none has.
    package private(set) var succeededAt: NIODeadline?
    /// Since when the attempts have gone as the last one did; `nil` if there was none.
    package private(set) var since: NIODeadline?
    /// When an attempt last failed; `nil` if none has.
    package private(set) var failedAt: NIODeadline?
    /// Why the last attempt failed; `nil` if it succeeded, or if there was none.
    package private(set) var problem: String?
    /// When a connection was last lost; `nil` if none has been.
    private var lostAt: NIODeadline?

    package init() {}

    package mutating func succeeded(at now: NIODeadline) {
        if since == nil || problem != nil { since = now }
        succeededAt = now
        problem = nil
    }

    package mutating func failed(_ why: String, at now: NIODeadline) {
        if since == nil || problem == nil { since = now }
        failedAt = now
        problem = why
    }

    /// The network or the broker ended a connection that stood, so earlier successes say nothing any more.
    package mutating func lost(at now: NIODeadline) {
        lostAt = now
    }

    /// Of the records of two event loops, the one that knows of the later attempt.
    package static func latest(_ left: Self, _ right: Self) -> Self {
        func last(_ record: Self) -> NIODeadline {
            max(record.succeededAt ?? .distantPast, record.failedAt ?? .distantPast)
        }
        return last(left) < last(right) ? right : left
    }

    /// What the connections say that there are now.
    package struct Connections: Sendable, Equatable {
        /// Those on which the broker answers.
        package var standing = 0
        /// Those on which it does not, although it should.
        package var silent = 0
        /// When the broker was last heard on a silent one.
        package var silentSince: NIODeadline?
        package init() {}

        package static func + (left: Self, right: Self) -> Self {
            var sum = left
            sum.standing += right.standing
            sum.silent += right.silent
            sum.silentSince = [left.silentSince, right.silentSince].compactMap { $0 }.max()
            return sum
        }
    }

    /// The state of the way to the broker.
    package struct Verdict: Sendable, Equatable {
        package var state: StatusReport.Uplink.State
        /// `nil` if nothing has happened yet.
        package var since: NIODeadline?
        package var problem: String?

        package init(state: StatusReport.Uplink.State, since: NIODeadline?, problem: String? = nil) {
            self.state = state
            self.since = since
            self.problem = problem
        }
    }

    /// The state, as the connections and the last attempts show it. A connection that stands says more than an attempt
    /// that failed, and one that is silent says that the broker can't be reached, until another one succeeds. A failure
    /// after which nothing tries any more says less and less.
    ///
    /// - Parameter isAwaited: Whether devices wait for the broker, so that attempts go on, however seldom.
    package func verdict(_ connections: Connections, isAwaited: Bool = false, at now: NIODeadline) -> Verdict {
        if connections.standing > 0 {
            return Verdict(state: .up, since: problem == nil ? since : succeededAt, problem: nil)
        }
        if let problem, let failedAt {
            let end = failedAt + Self.memory
            return isAwaited || end > now
                ? Verdict(state: .down, since: since, problem: problem)
                : Verdict(state: .unknown, since: end, problem: "the last attempt failed: \(problem)")
        }
        if connections.silent > 0, succeededAt ?? .distantPast <= connections.silentSince ?? .distantPast {
            return Verdict(
                state: .down, since: connections.silentSince, problem: "the broker does not answer on its connections")
        }
        guard let succeededAt else { return Verdict(state: .unknown, since: nil, problem: nil) }
        if let lostAt, lostAt >= succeededAt { return Verdict(state: .unknown, since: lostAt, problem: nil) }
        let end = succeededAt + Self.memory
        return end > now
            ? Verdict(state: .up, since: since, problem: nil) : Verdict(state: .unknown, since: end, problem: nil)
    }
}
