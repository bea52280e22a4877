import Testing

@testable import BenchmarkLoad

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
}
