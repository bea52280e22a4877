import NIOCore

/// Turns many refusals into a log line now and then, so that a flood of connections does not flood the log.
package struct RefusalTally: Sendable {
    /// The time between two reports.
    package static let interval = TimeAmount.seconds(10)

    private var count = 0
    private var reportedAt: NIODeadline?

    package init() {}

    /// Counts a refusal. If it is time for a report, returns the number of refusals since the previous one.
    package mutating func add(at now: NIODeadline) -> Int? {
        count += 1
        if let last = reportedAt, now < last + Self.interval { return nil }
        defer { count = 0 }
        reportedAt = now
        return count
    }
}
