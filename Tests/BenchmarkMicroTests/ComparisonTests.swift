import Testing

@testable import BenchmarkMicro

struct ComparisonTests {
    private typealias Verdict = Comparison.Verdict

    @Test(arguments: [
        // A tenth more, and 0.05 besides, is still within the limit.
        (10.0, 10.0, Comparison.Verdict.kept), (10, 11.04, .kept), (10, 11.06, .exceeded), (10, 12, .exceeded),
        (1_000, 1_100, .kept), (1_000, 1_101, .exceeded),
        // A tenth of a small count would be nothing.
        (0, 0.04, .kept), (0, 0.06, .exceeded), (0.2, 0.26, .kept), (0.2, 0.28, .exceeded),
        (10, 8.96, .kept), (10, 8.94, .better), (0.05, 0, .kept), (0.1, 0, .better), (1, 0, .better), (0, 0, .kept),
        (10, .nan, .exceeded), (10, .infinity, .exceeded),
    ])
    func whatACountIsWorth(limit: Double, measured: Double, verdict: Comparison.Verdict) {
        let comparison = Comparison(["a": measured], limits: ["a": limit])
        #expect(comparison.lines.map(\.verdict) == [verdict])
        #expect(comparison.isPassed == (verdict == .kept || verdict == .better))
        #expect(comparison.hasImproved == (verdict == .better))
    }

    @Test func aCountWithoutALimitFails() {
        let comparison = Comparison(["a": 1, "b": 1], limits: ["a": 1])
        #expect(comparison.lines.map(\.verdict) == [.kept, .unknown])
        #expect(!comparison.isPassed)
    }

    @Test func aLimitWithoutAMeasurementFails() {
        let comparison = Comparison(["a": 1], limits: ["a": 1, "b": 1])
        #expect(comparison.lines.map(\.verdict) == [.kept, .missing])
        #expect(!comparison.isPassed)
    }

    @Test func whatCanNotBeMeasuredHereIsLeftOut() {
        let limits = ["program.run.read": 1.0, "quic.request.instructions": 1, "quic.request.allocations": 1]
        let comparison = Comparison(
            ["quic.request.allocations": 1], limits: limits, leftOut: ["program.", ".instructions"])
        #expect(comparison.lines.map(\.verdict) == [.leftOut, .kept, .leftOut])
        #expect(comparison.isPassed)
    }

    @Test func oneBadCountAmongManyFails() {
        let limits = Dictionary(uniqueKeysWithValues: (0..<20).map { ("count-\($0)", Double($0)) })
        var measured = limits
        #expect(Comparison(measured, limits: limits).isPassed)
        measured["count-7"] = 8
        let comparison = Comparison(measured, limits: limits)
        #expect(!comparison.isPassed)
        #expect(comparison.lines.filter(\.verdict.fails).map(\.name) == ["count-7"])
    }

    @Test func theTableNamesEachCountWithItsLimitAndMeasurement() {
        let comparison = Comparison(
            ["a.allocations": 2.5, "b": 1_234.4, "d": 1], limits: ["a.allocations": 2, "b": 1_200, "c": 0.3])
        #expect(
            comparison.description.split(separator: "\n").map(String.init) == [
                "per message         limit    measured",
                "a.allocations        2.00        2.50  EXCEEDED",
                "b                    1200        1234",
                "c                    0.30           -  MISSING: it was not measured",
                "d                       -        1.00  UNKNOWN: it has no limit",
            ])
    }
}
