import NIOCore

/// What the broker makes of the CONNECT packets of devices, on connections that stand: whether it answers them, and
/// whether it takes any device at all.
package struct ConnectRecord: Sendable, Equatable {
    /// A single device may itself be the reason why its connection ended without an answer.
    private static let enough = 2
    /// A broker that is busy for a moment refuses one device and takes the next.
    private static let enoughRefusals = 3
    /// How long the refusals must go on, because many devices may come in the moment in which the broker is busy.
    private static let refusalTime = UplinkRecord.tolerance
    /// How long the last refusal says something about the present. A load balancer sends no device while the bridge
    /// says that the broker is down, so one of them has to be let through to see whether it still is.
    private static let refusalMemory = TimeAmount.seconds(30)

    /// CONNECT packets that all came to the same.
    private struct Streak: Sendable, Equatable {
        var count = 0
        /// When the first of them came to it; `nil` if there is none.
        var since: NIODeadline?
        var last = NIODeadline.distantPast

        mutating func add(at now: NIODeadline) {
            count += 1
            last = now
            if since == nil { since = now }
        }

        /// Adds those of another event loop, unless something later has settled them.
        mutating func merge(_ other: Self, after settledAt: NIODeadline) {
            guard let since = other.since, other.last > settledAt else { return }
            count += other.count
            last = max(last, other.last)
            // What settled them on the other event loop may have come between the first and the last.
            self.since = min(self.since ?? .distantFuture, max(since, settledAt))
        }
    }

    /// When the broker last answered one, in whatever way.
    private var answeredAt = NIODeadline.distantPast
    /// When it last answered one otherwise than by saying that it is busy or unavailable.
    private var servedAt = NIODeadline.distantPast
    /// Those that it has not answered since it last answered one.
    private var unanswered = Streak()
    /// Those that it has refused as busy or unavailable since it last answered otherwise.
    private var refused = Streak()

    package init() {}

    /// When the first of those that the broker has not answered failed; `nil` if there is none.
    package var failedSince: NIODeadline? { unanswered.since }
    /// When the broker refused the first of those that it all refused as busy or unavailable; `nil` if there is none.
    package var refusedSince: NIODeadline? { refused.since }

    /// Notes what a CONNECT came to. What the bridge itself refused says nothing about the broker.
    package mutating func count(_ outcome: ConnectOutcome, at now: NIODeadline) {
        switch outcome {
        case .accepted, .refusedByBrokerAuthorization, .refusedByBrokerOther:
            (answeredAt, servedAt) = (now, now)
            (unanswered, refused) = (Streak(), Streak())
        case .refusedByBrokerBusy:
            answeredAt = now
            unanswered = Streak()
            // What was long ago was another incident.
            if refused.last + UplinkRecord.memory <= now { refused = Streak() }
            refused.add(at: now)
        case .unreachable, .timeout:
            unanswered.add(at: now)
        case .refusedHereCredentials, .refusedHereRule, .refusedHereLimit, .refusedHereProtocol, .abandoned:
            break
        }
    }

    /// Whether the last ones were not answered, and lately.
    package func isFailing(at now: NIODeadline) -> Bool {
        unanswered.count >= Self.enough && unanswered.last + UplinkRecord.memory > now
    }

    /// Whether the broker has refused all of the last ones as busy or unavailable, and lately.
    ///
    /// - Parameter isAwaited: Whether devices wait for the broker, so that it is tried again, however seldom.
    package func isRefusing(isAwaited: Bool, at now: NIODeadline) -> Bool {
        guard let since = refused.since, refused.count >= Self.enoughRefusals, refused.last >= since + Self.refusalTime
        else { return false }
        return refused.last + (isAwaited ? UplinkRecord.memory : Self.refusalMemory) > now
    }

    /// The record of two event loops: an answer on one of them settles what failed earlier on the other.
    package static func + (left: Self, right: Self) -> Self {
        var sum = Self()
        sum.answeredAt = max(left.answeredAt, right.answeredAt)
        sum.servedAt = max(left.servedAt, right.servedAt)
        for record in [left, right] {
            sum.unanswered.merge(record.unanswered, after: sum.answeredAt)
            sum.refused.merge(record.refused, after: sum.servedAt)
        }
        return sum
    }
}
