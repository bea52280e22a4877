import NIOCore

/// Decides which refusals of the system to send a datagram an operator is told of.
///
/// Strangers can cause refusals, by addresses to which there is no route, while other peers are heard all the time. So
/// only time limits how many lines they can write into the log.
struct RefusalNotices {
    static let interval = TimeAmount.minutes(1)

    private var last: NIODeadline?

    /// Whether this one is to be told, because none was for ``interval``.
    mutating func isDue(at now: NIODeadline) -> Bool {
        if let last, now < last + Self.interval { return false }
        last = now
        return true
    }
}
