import NIOCore

/// Turns a flood of refusals into a log line now and then, so that whoever floods the bridge does not flood its log.
package struct RefusalTally: Sendable {
    /// Between two reports.
    package static let interval = TimeAmount.seconds(10)

    private var count = 0
    private var reportedAt: NIODeadline?

    package init() {}

    /// Counts one more; answers how many there were since the last report where it is time for the next.
    package mutating func add(at now: NIODeadline) -> Int? {
        count += 1
        if let last = reportedAt, now < last + Self.interval { return nil }
        defer { count = 0 }
        reportedAt = now
        return count
    }
}
