import NIOCore

/// When a PINGREQ is due, and when the broker counts as gone (MQTT 5 3.1.2.10).
///
/// All of this is about the control stream: a broker such as EMQX, for which each stream is a connection of its own,
/// does not count what comes on the others. A PINGREQ goes out when three quarters of the time have passed without a
/// packet, sent or received. If then nothing at all comes for as long as the whole time, the connection is lost.
struct KeepAlivePlan: Sendable {
    enum Step: Equatable {
        case wait(until: NIODeadline)
        case ping
        case lost
    }

    private let interval: TimeAmount
    private var sentAt: NIODeadline
    private var receivedAt: NIODeadline
    private var pingedAt: NIODeadline?

    /// `nil` if there is no keepalive.
    init?(_ interval: Duration, at now: NIODeadline) {
        guard interval > .zero else { return nil }
        self.interval = TimeAmount(limited: interval)
        sentAt = now
        receivedAt = now
    }

    mutating func sent(at now: NIODeadline) { sentAt = now }

    mutating func received(at now: NIODeadline) {
        receivedAt = now
        pingedAt = nil
    }

    /// - Parameter isReading: Whether bytes that have come are read at all. If the application is too slow for that, the
    ///   answer may well be among those that wait.
    mutating func step(at now: NIODeadline, isReading: Bool) -> Step {
        if let pingedAt, isReading {
            let end = pingedAt + interval
            return end <= now ? .lost : .wait(until: end)
        }
        let quiet = interval - interval / 4
        let due = min(sentAt, isReading ? receivedAt : sentAt) + quiet
        guard due <= now else { return .wait(until: due) }
        sentAt = now
        pingedAt = now
        return .ping
    }
}

extension TimeAmount {
    /// A century if the duration is longer, because a number of nanoseconds has its limits.
    init(limited duration: Duration) {
        self.init(min(max(duration, .zero), .seconds(3_155_760_000)))
    }

    fileprivate static func / (left: TimeAmount, right: Int64) -> TimeAmount { .nanoseconds(left.nanoseconds / right) }
}
