import NIOCore

/// What the attempts to reach the broker have come to, for whoever asks whether it can be reached.
package struct UplinkRecord: Sendable, Equatable {
    /// How long a success or a failure says something about the present.
    package static let memory = TimeAmount.seconds(60)
    /// How long attempts may fail, each followed by another one at once, before that counts although connections stand.
    package static let tolerance = TimeAmount.seconds(5)

    /// When an attempt last succeeded; `nil` if none has.
    package private(set) var succeededAt: NIODeadline?
    /// Since when the attempts have gone as the last one did; `nil` if there was none.
    package private(set) var since: NIODeadline?
    /// When an attempt last failed; `nil` if none has.
    package private(set) var failedAt: NIODeadline?
    /// Why the last attempt failed; `nil` if it succeeded, or if there was none.
    package private(set) var problem: String?
    /// Whether an attempt has failed since the last success that no other one followed at once.
    private var isFinal = false
    /// When a connection was last lost; `nil` if none has been.
    private var lostAt: NIODeadline?

    package init() {}

    /// An attempt to reach the broker succeeded.
    package mutating func succeeded(at now: NIODeadline) {
        if since == nil || problem != nil { since = now }
        succeededAt = now
        problem = nil
        isFinal = false
    }

    /// An attempt to reach the broker failed.
    ///
    /// - Parameter isRetried: Whether another attempt follows at once, here or another way: a server that is busy for a
    ///   moment refuses some attempts and accepts others.
    package mutating func failed(_ why: String, isRetried: Bool = false, at now: NIODeadline) {
        if since == nil || problem == nil { since = now }
        failedAt = now
        problem = why
        if !isRetried { isFinal = true }
    }

    /// The network or the broker ended a connection that stood, so earlier successes say nothing any more.
    package mutating func lost(at now: NIODeadline) {
        lostAt = now
    }

    /// The record that knows of the later attempt, given those of two event loops.
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
        /// Those of them that take a device that comes now.
        package var taking = 0
        /// Those on which it does not, although it should.
        package var silent = 0
        /// When the broker was last heard on a silent one, or when its address was found to be silent.
        package var silentSince: NIODeadline?
        /// Those on which nothing came for longer than it should have, so that nothing is known about them.
        package var unheard = 0
        /// What the last CONNECTs of devices came to.
        package var connects = ConnectRecord()
        package init() {}

        /// All that are open.
        package var all: Int { standing + silent + unheard }

        package static func + (left: Self, right: Self) -> Self {
            var sum = left
            sum.standing += right.standing
            sum.taking += right.taking
            sum.silent += right.silent
            sum.silentSince = [left.silentSince, right.silentSince].compactMap { $0 }.max()
            sum.unheard += right.unheard
            sum.connects = left.connects + right.connects
            return sum
        }
    }

    /// The state of the way to the broker.
    package struct Verdict: Sendable, Equatable {
        /// Whether the broker can be reached.
        package var state: StatusReport.Uplink.State
        /// Since when that is so; `nil` if nothing has happened yet.
        package var since: NIODeadline?
        /// Why the broker cannot be reached, in a sentence for an operator; `nil` if it can be, or nothing is known.
        package var problem: String?

        package init(state: StatusReport.Uplink.State, since: NIODeadline?, problem: String? = nil) {
            self.state = state
            self.since = since
            self.problem = problem
        }
    }

    /// The state, as the connections and the last attempts show it: whether a device that came now would reach the broker.
    /// A connection that stands and takes such a device says more than an attempt that failed. One that takes none says
    /// less, because the device needs another one. A silent connection says that the broker can't be reached, until
    /// another one succeeds. A failure after which nothing tries any more says less and less. No connection is of use
    /// while the broker refuses every device.
    ///
    /// - Parameters:
    ///   - isAwaited: Whether devices wait for the broker, so that attempts go on, however seldom.
    ///   - isServing: Whether the broker serves devices that are connected. Those that it refuses as busy then have
    ///     something in common that these have not, such as a tenant whose quota is full.
    package func verdict(
        _ connections: Connections, isAwaited: Bool = false, isServing: Bool = false, at now: NIODeadline
    ) -> Verdict {
        // A failed attempt is newer than an answer, or says more if nothing stands.
        if !isServing, connections.standing > 0 || problem == nil, let since = connections.connects.refusedSince,
            connections.connects.isRefusing(isAwaited: isAwaited, at: now)
        {
            return Verdict(state: .down, since: since, problem: Self.refusal)
        }
        if connections.standing > 0 {
            if let failedAt = connections.connects.failedSince, connections.connects.isFailing(at: now) {
                // If no further connection can be made, that is why: no CONNECT has been sent.
                return Verdict(
                    state: .down, since: failedAt,
                    problem: problem ?? "the broker does not answer the CONNECT of devices")
            }
            if problem == nil || connections.taking > 0 || !isSettled(at: now) {
                return Verdict(state: .up, since: problem == nil ? since : succeededAt, problem: nil)
            }
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

    /// `serve` answers like this for a broker behind it that is down.
    private static let refusal = "the broker answers devices with \"server unavailable\" or \"server busy\""

    /// Whether the attempts have failed for good, or for too long to be a burst that the server did not take at once.
    private func isSettled(at now: NIODeadline) -> Bool {
        isFinal || since.map { $0 + Self.tolerance <= now } ?? false
    }
}
