/// Counts durations in buckets whose width grows with the duration, so that any number of samples takes the same
/// memory (36 KiB). A percentile is off by less than half a percent; the maximum is exact.
package struct LatencyHistogram: Sendable {
    /// Each power of two is divided into this many bits' worth of buckets.
    private static let bits = 7
    /// Longer durations, from 73 minutes on, count as this one.
    private static let longest: Int64 = 1 << 42 - 1

    private var counts: [UInt64]
    package private(set) var count = 0
    /// The longest duration in nanoseconds; 0 without any.
    package private(set) var max: Int64 = 0

    package init() {
        counts = Array(repeating: 0, count: Self.index(of: Self.longest) + 1)
    }

    /// - Parameters:
    ///   - nanoseconds: Negative durations count as 0.
    ///   - samples: How many samples there are of this duration.
    package mutating func record(_ nanoseconds: Int64, count samples: Int = 1) {
        guard samples > 0 else { return }
        let value = Swift.min(Swift.max(nanoseconds, 0), Self.longest)
        counts[Self.index(of: value)] += UInt64(samples)
        count += samples
        if value > max { max = value }
    }

    /// The duration, in nanoseconds, that this share of all samples does not exceed; 0 without any.
    ///
    /// - Parameter percent: Above 0, up to 100.
    package func percentile(_ percent: Double) -> Int64 {
        guard percent < 100 else { return max }
        let rank = Swift.max(1, Int((percent / 100 * Double(count)).rounded(.up)))
        var passed = 0
        for (index, bucket) in counts.enumerated() where bucket > 0 {
            passed += Int(bucket)
            if passed >= rank { return Swift.min(Self.middle(of: index), max) }
        }
        return max
    }

    /// Forgets all samples.
    package mutating func reset() {
        for index in counts.indices { counts[index] = 0 }
        count = 0
        max = 0
    }

    private static func index(of value: Int64) -> Int {
        guard value >= 1 << bits else { return Int(value) }
        let shift = Int64.bitWidth - 1 - value.leadingZeroBitCount - bits
        return (shift + 1) << bits | Int(value >> shift) & (1 << bits - 1)
    }

    private static func middle(of index: Int) -> Int64 {
        guard index >= 1 << bits else { return Int64(index) }
        let shift = index >> bits - 1
        let start = Int64(1 << bits | index & (1 << bits - 1)) << shift
        return start + (1 << shift - 1) / 2
    }
}
