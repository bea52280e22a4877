import TestSupport
import Testing

@testable import Measurement

struct LatencyHistogramTests {
    @Test func percentilesOfKnownSamples() {
        var histogram = LatencyHistogram()
        for microseconds in 1...1000 { histogram.record(Int64(microseconds) * 1000) }
        for (percent, expected) in [(50.0, 500_000.0), (95, 950_000), (99, 990_000), (100, 1_000_000)] {
            let value = Double(histogram.percentile(percent))
            #expect(abs(value - expected) / expected < 0.005, "\(percent): \(value)")
        }
        #expect(histogram.count == 1000)
        #expect(histogram.max == 1_000_000)
    }

    /// Compared with the sorted samples themselves, over nine orders of magnitude.
    @Test func percentilesAreCloseToThoseOfTheSortedSamples() {
        var random = SplitMix64(seed: 5)
        var histogram = LatencyHistogram()
        var samples: [Int64] = []
        for _ in 0..<20_000 {
            let sample = Int64.random(in: 1...9, using: &random) << Int64.random(in: 0...34, using: &random)
            samples.append(sample)
            histogram.record(sample)
        }
        samples.sort()
        for percent in [0.1, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 100] {
            let exact = samples[max(1, Int((percent / 100 * 20_000).rounded(.up))) - 1]
            let value = histogram.percentile(percent)
            #expect(abs(Double(value - exact)) <= Double(exact) * 0.005, "\(percent): \(value) for \(exact)")
        }
    }

    @Test func smallDurationsAreExact() {
        for nanoseconds in Int64(0)..<256 {
            var histogram = LatencyHistogram()
            histogram.record(nanoseconds)
            #expect(histogram.percentile(50) == nanoseconds)
        }
    }

    @Test func withoutSamplesEverythingIsZero() {
        var histogram = LatencyHistogram()
        #expect(histogram.percentile(99) == 0)
        histogram.record(5)
        histogram.reset()
        #expect(histogram.count == 0 && histogram.max == 0 && histogram.percentile(50) == 0)
    }

    /// The buckets hold more than 32 bits: a bench of days has so many messages.
    @Test func manySamplesOfOneDuration() {
        var histogram = LatencyHistogram()
        histogram.record(1_000, count: 5_000_000_000)
        histogram.record(2_000_000, count: 4_000_000_000)
        histogram.record(9_000_000, count: 0)
        histogram.record(9_000_000, count: -1)
        #expect(histogram.count == 9_000_000_000 && histogram.max == 2_000_000)
        #expect(histogram.percentile(50) < 1_010 && histogram.percentile(60) > 1_990_000)
    }

    @Test func outOfRangeDurationsCountAsTheNearest() {
        var histogram = LatencyHistogram()
        histogram.record(-5)
        #expect(histogram.max == 0 && histogram.count == 1)
        histogram.record(.max)
        #expect(histogram.percentile(100) == histogram.max)
        #expect(histogram.max > 4_000_000_000_000)
    }
}
