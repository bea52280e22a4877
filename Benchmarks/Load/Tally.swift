import Measurement

/// All that a run counts.
struct Tally {
    var connect = LatencyHistogram()
    var endToEnd = LatencyHistogram()
    var acknowledged = LatencyHistogram()
    var commands = LatencyHistogram()
    var recovery = LatencyHistogram()
    var lag = LatencyHistogram()

    var connectsRefused = 0
    var offered = 0
    var unsent = 0
    var arrived = 0
    var duplicates = 0
    /// QoS 1 messages that were acknowledged.
    var acknowledgements = 0
    var resent = 0
    var reconnects = 0
    /// Arrivals within the window.
    var arrivedInWindow = 0
    /// The same in the minute that has not ended.
    var arrivedInMinute = 0
    var endToEndInMinute = LatencyHistogram()
    var longestGap: Int64 = 0
    private var lastArrival: Int64?

    /// A message has arrived for the first time.
    ///
    /// - Parameter window: The times, in nanoseconds, that the figures cover.
    mutating func arrived(due: Int64, at now: Int64, window: Range<Int64>) {
        arrived += 1
        if let lastArrival { longestGap = max(longestGap, now - lastArrival) }
        lastArrival = now
        if window.contains(now) {
            arrivedInWindow += 1
            arrivedInMinute += 1
        }
        if window.contains(due) {
            endToEnd.record(now - due)
            endToEndInMinute.record(now - due)
        }
    }
}
