import BridgeCore

/// The last 15 minutes as rates, from totals that are noted every five seconds.
package struct History: Sendable {
    /// Seconds between two samples.
    package static let interval = 5
    /// 15 minutes.
    package static let limit = 180

    private var ring: [HistorySample] = []
    /// Where the next sample goes once the ring is full: the place of the oldest one.
    private var oldest = 0
    private var last: (totals: TrafficSample, uptime: Double)?

    package init() {
        ring.reserveCapacity(Self.limit)
    }

    /// The samples, the oldest first.
    package var samples: [HistorySample] { Array(ring[oldest...] + ring[..<oldest]) }

    /// Notes totals, and returns the sample of the interval since the previous ones; `nil` for the first ones, and if no
    /// time has passed.
    ///
    /// An interval may be longer than usual: rates are of the time that has passed. A total that is smaller than before
    /// has begun again at zero.
    ///
    /// - Parameters:
    ///   - time: Seconds since 1970-01-01T00:00:00Z, for display.
    ///   - uptime: Seconds of a clock that is never set.
    package mutating func add(_ totals: TrafficSample, time: Double, uptime: Double) -> HistorySample? {
        defer { last = (totals, uptime) }
        guard let last, uptime > last.uptime else { return nil }
        let elapsed = uptime - last.uptime
        let before = last.totals
        func rate(_ total: KeyPath<TrafficSample, UInt64>) -> Double {
            let now = totals[keyPath: total]
            let then = before[keyPath: total]
            return Double(now >= then ? now - then : now) / elapsed
        }
        let isReset = zip(totals.acknowledgement.counts, before.acknowledgement.counts).contains { $0 < $1 }
        let durations = isReset ? totals.acknowledgement : totals.acknowledgement - before.acknowledgement
        let sample = HistorySample(
            time: time, messagesUp: rate(\.messagesUp), messagesDown: rate(\.messagesDown), bytesUp: rate(\.bytesUp),
            bytesDown: rate(\.bytesDown), acknowledgementP50: durations.quantile(0.5),
            acknowledgementP99: durations.quantile(0.99), live: totals.devices.live, held: totals.devices.held,
            connecting: totals.devices.connecting)
        if ring.count < Self.limit {
            ring.append(sample)
        } else {
            ring[oldest] = sample
            oldest = (oldest + 1) % Self.limit
        }
        return sample
    }
}
