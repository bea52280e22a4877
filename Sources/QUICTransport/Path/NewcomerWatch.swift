import NIOCore

/// Tells when devices that have had no answer on a connection are better off on another one, which is long before
/// anything is decided about the connection itself: ``PathWatch`` may be configured to wait for a minute, and a device
/// cannot wait that long for its CONNACK.
///
/// ```
///   resting -- unanswered for a while --> asking -- the server answers others, and still nothing here --> leave
///      ^                                    | |
///      +------ a datagram came -------------+ +-- half of the connect timeout --> leave
/// ```
/// A server that answers, but not here, has been restarted and has forgotten the connection. As long as nothing is
/// known about the server, an outage and a slow server look the same, and there is no hurry to find out on another
/// connection.
package struct NewcomerWatch: Sendable {
    /// A server that answers steadily is heard within this time, whatever the round trip.
    private static let usualPatience = Duration.seconds(1)
    /// A server that has answered others may be about to answer here.
    private static let leastGrace = Duration.milliseconds(200)

    private let connectTimeout: Duration
    /// Whether the watch needs to know if the server answers.
    package private(set) var awaitsServer = false
    /// When the server first answered others after the watch began to ask.
    private var answeredSince: NIODeadline?

    package init(connectTimeout: Duration) {
        self.connectTimeout = connectTimeout
    }

    /// Whether so much time has passed that newcomers, if there are any, need attention.
    package func isDue(_ facts: PathWatch.Facts, at now: NIODeadline) -> Bool {
        unanswered(facts, for: min(Self.usualPatience, connectTimeout / 4), at: now)
    }

    /// There are no newcomers, or they need no attention.
    package mutating func rest() {
        awaitsServer = false
        answeredSince = nil
    }

    /// There are newcomers. Returns whether they should leave now.
    package mutating func look(_ facts: PathWatch.Facts, at now: NIODeadline) -> Bool {
        awaitsServer = true
        let grace = TimeAmount(max(facts.probeTimeout, Self.leastGrace))
        let isForgotten = answeredSince.map { now >= $0 + grace } ?? false
        guard isForgotten || unanswered(facts, for: connectTimeout / 2, at: now) else { return false }
        rest()
        return true
    }

    /// The server answered, though not on this connection. Returns whether that changes anything.
    package mutating func serverAnswered(at now: NIODeadline) -> Bool {
        guard awaitsServer else { return false }
        answeredSince = answeredSince ?? now
        return true
    }

    private func unanswered(_ facts: PathWatch.Facts, for patience: Duration, at now: NIODeadline) -> Bool {
        guard let since = facts.unansweredSince else { return false }
        return now >= since + TimeAmount(max(patience, facts.probeTimeout * 3))
    }
}
