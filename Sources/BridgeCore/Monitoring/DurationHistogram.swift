/// Durations counted in buckets, as a Prometheus histogram has them. Adding one is a search among 16 limits.
package struct DurationHistogram: Sendable, Equatable {
    /// The upper limits of the buckets in seconds, inclusive; above the last one there is one bucket more.
    package static let limits: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// How many durations are in each bucket, not cumulated; one more than there are limits.
    package private(set) var counts: [UInt64] = Array(repeating: 0, count: limits.count + 1)
    /// The sum of all durations, in seconds.
    package private(set) var sum: Double = 0

    package init() {}

    /// How many durations there are.
    package var count: UInt64 { counts.reduce(0, +) }

    /// Counts one duration.
    package mutating func add(seconds: Double) {
        var index = 0
        while index < Self.limits.count, seconds > Self.limits[index] { index += 1 }
        counts[index] += 1
        sum += seconds
    }

    /// The quantile `share` (0 to 1) in seconds, interpolated within its bucket; `nil` if there are no durations. Above
    /// the last limit it is that limit.
    package func quantile(_ share: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (index, limit) in Self.limits.enumerated() {
            let inBucket = Double(counts[index])
            if inBucket > 0, below + inBucket >= rank {
                let lower = index == 0 ? 0 : Self.limits[index - 1]
                return lower + (limit - lower) * max(0, rank - below) / inBucket
            }
            below += inBucket
        }
        return Self.limits.last
    }

    /// What both have counted together.
    package static func + (left: Self, right: Self) -> Self {
        var result = left
        for index in result.counts.indices { result.counts[index] += right.counts[index] }
        result.sum += right.sum
        return result
    }

    /// What has been added to `left` since it was `right`.
    package static func - (left: Self, right: Self) -> Self {
        var result = left
        for index in result.counts.indices { result.counts[index] -= min(right.counts[index], result.counts[index]) }
        result.sum -= right.sum
        return result
    }
}
