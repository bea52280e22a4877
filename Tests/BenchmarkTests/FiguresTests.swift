import BenchmarkLoad
import Foundation
import Testing

@testable import BenchmarkSuite

struct FiguresTests {
    @Test(
        arguments: [
            ([], nil), ([3], 3), ([3, 1, 2], 2), ([4, 1, 3, 2], 2.5), ([1, 1, 100], 1),
        ] as [([Double], Double?)])
    func median(_ values: [Double], _ expected: Double?) {
        #expect(Figures.median(values) == expected)
    }

    @Test func mediansAreThoseOfTheRoundsThatHaveTheFigure() {
        let rounds = [
            Figures([.endToEndP50: 10, .packets: 3]), Figures([.endToEndP50: 30]),
            Figures([.endToEndP50: 20]),
        ]
        #expect(Figures.medians(of: rounds) == Figures([.endToEndP50: 20, .packets: 3]))
    }

    @Test func ratiosNeedAnotherValueThanZero() {
        let figures = Figures([.endToEndP50: 30, .lost: 2, .packets: 3])
        let base = Figures([.endToEndP50: 20, .lost: 0])
        #expect(figures.ratios(to: base) == Figures([.endToEndP50: 1.5]))
    }

    @Test func whatIsNoNumberIsMissing() {
        var figures = Figures([.packets: .nan, .wireBytes: .infinity])
        #expect(figures == Figures())
        figures[.packets] = .nan
        #expect(figures[.packets] == nil)
    }

    @Test func jsonNamesTheFigures() throws {
        let figures = Figures([.endToEndP99: 1.5, .lost: 0])
        let json = try JSONEncoder().encode(figures)
        let object = try JSONDecoder().decode([String: Double].self, from: json)
        #expect(object == ["end_to_end_p99_ms": 1.5, "lost": 0])
        #expect(try JSONDecoder().decode(Figures.self, from: json) == figures)
    }

    private static let json = """
        {"devices": 100, "rate": 1, "seconds": 5, "window_seconds": 4, "offered": 500, "arrived": 499, "lost": 1,
         "connect": {"count": 100, "p50": 1, "p95": 2, "p99": 3, "max": 4}, "connects_refused": 0,
         "end_to_end": {"count": 400, "p50": 5, "p95": 6, "p99": 7, "max": 8},
         "acknowledged": {"count": 0, "p50": 0, "p95": 0, "p99": 0, "max": 0},
         "commands": null, "recovery": null, "not_recovered": null, "duplicates": 0, "unsent": 0, "resent": 0,
         "reconnects": 0, "messages_per_second": 100, "longest_gap_ms": 12, "load_lag_ms": 0.1,
         "load_cpu_microseconds_per_message": 9,
         "processes": [
           {"name": "sidecar", "pid": 1, "cpu_microseconds": 500000, "cpu_microseconds_per_message": 40,
            "resident_before_kib": 1000, "resident_after_kib": 2000, "resident_per_device_kib": 10,
            "wakeups_per_message": 0.5},
           {"name": "far-end", "pid": 2, "cpu_microseconds": null, "cpu_microseconds_per_message": 30,
            "resident_before_kib": null, "resident_after_kib": null, "resident_per_device_kib": null,
            "wakeups_per_message": null}],
         "minutes": [
           {"minute": 1, "arrived": 6000, "messages_per_second": 100,
            "end_to_end": {"count": 6000, "p50": 1, "p95": 1, "p99": 1, "max": 1},
            "processes": [{"name": "sidecar", "cpu_microseconds_per_message": 10, "wakeups_per_message": 1,
                           "resident_kib": 1}]},
           {"minute": 2, "arrived": 6000, "messages_per_second": 90,
            "end_to_end": {"count": 6000, "p50": 2, "p95": 2, "p99": 2, "max": 2},
            "processes": [{"name": "sidecar", "cpu_microseconds_per_message": 20, "wakeups_per_message": 1,
                           "resident_kib": 1}]}]}
        """

    private func report() throws -> LoadReport {
        try JSONDecoder().decode(LoadReport.self, from: Data(Self.json.utf8))
    }

    @Test func figuresOfARun() throws {
        let figures = Figures(try report())
        #expect(figures[.connectP95] == 2)
        #expect(figures[.endToEndP99] == 7)
        #expect(figures[.lost] == 1)
        #expect(figures[.sidecarCPU] == 40)
        #expect(figures[.farEndCPU] == 30)
        #expect(figures[.sidecarIdleCPU] == 12.5)
        #expect(figures[.sidecarMemory] == 10)
        #expect(figures[.farEndIdleCPU] == nil)
        // Nothing was watched, and there were no samples.
        #expect(figures[.brokerCPU] == nil)
        #expect(figures[.acknowledgedP50] == nil)
        #expect(figures[.recoveryP50] == nil)
    }

    @Test func figuresOfTheMinutesAtBothEnds() throws {
        let report = try report()
        let windows = Window.all(of: 122)
        #expect(windows.map(\.name) == ["first minute", "last minute"])
        let ends = windows.map { Figures(report, minute: $0.minute(of: report)) }
        #expect(ends.map { $0[.endToEndP50] } == [1, 2])
        #expect(ends.map { $0[.sidecarCPU] } == [10, 20])
    }

    @Test func aShortRunIsOneWindow() {
        #expect(Window.all(of: 4) == [Window(name: "", from: 1, to: 3.9)])
        // The load's report has no minutes of such a run, because the warm-up is no part of them.
        #expect(Window.all(of: 121) == [Window(name: "", from: 2, to: 120.9)])
    }
}
