import Foundation
import Measurement
import Testing

@testable import BenchmarkLoad

struct LoadReportTests {
    private static func report() -> LoadReport {
        LoadReport(
            devices: 10, rate: 1, seconds: 120, windowSeconds: 118, connect: .init(count: 10, p50: 1.5),
            connectsRefused: 0,
            endToEnd: .init(), acknowledged: .init(), commands: nil, recovery: nil, notRecovered: nil, offered: 1200,
            arrived: 1200, lost: 0, duplicates: 0, unsent: 0, resent: 0, reconnects: 0, messagesPerSecond: 10,
            longestGapMilliseconds: 3, loadLagMilliseconds: 0.1, loadCPUMicrosecondsPerMessage: 20,
            processes: [.init(name: "bridge", pid: 5, cpuMicroseconds: 100, residentBeforeKiB: 8)],
            minutes: [
                .init(
                    minute: 1, arrived: 600, messagesPerSecond: 10, endToEnd: .init(count: 600),
                    processes: [.init(name: "bridge", cpuMicrosecondsPerMessage: 40)])
            ])
    }

    private static func object(_ report: LoadReport) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
        return try #require(object as? [String: Any])
    }

    @Test func keysAreWordsWithUnderscores() throws {
        let object = try Self.object(Self.report())
        #expect(
            Set(object.keys) == [
                "devices", "rate", "seconds", "window_seconds", "connect", "connects_refused", "end_to_end",
                "acknowledged", "commands", "recovery", "not_recovered", "offered", "arrived", "lost", "duplicates",
                "unsent", "resent", "reconnects", "messages_per_second", "longest_gap_ms", "load_lag_ms",
                "load_cpu_microseconds_per_message", "processes", "minutes",
            ])
        let latency = try #require(object["connect"] as? [String: Any])
        #expect(Set(latency.keys) == ["count", "p50", "p95", "p99", "max"])
        let process = try #require((object["processes"] as? [[String: Any]])?.first)
        #expect(
            Set(process.keys) == [
                "name", "pid", "cpu_microseconds", "cpu_microseconds_per_message", "resident_before_kib",
                "resident_after_kib", "resident_per_device_kib", "wakeups_per_message",
            ])
        let minute = try #require((object["minutes"] as? [[String: Any]])?.first)
        #expect(Set(minute.keys) == ["minute", "arrived", "messages_per_second", "end_to_end", "processes"])
    }

    @Test func whatWasNotMeasuredIsNull() throws {
        let object = try Self.object(Self.report())
        #expect(object["recovery"] is NSNull)
        #expect(object["commands"] is NSNull)
        let process = try #require((object["processes"] as? [[String: Any]])?.first)
        #expect(process["resident_after_kib"] is NSNull)
        #expect(process["cpu_microseconds"] as? Double == 100)
    }

    @Test func aReportIsReadBackAsItWas() throws {
        let report = Self.report()
        #expect(try JSONDecoder().decode(LoadReport.self, from: JSONEncoder().encode(report)) == report)
    }

    @Test func latenciesAreInMilliseconds() {
        var histogram = LatencyHistogram()
        for _ in 0..<100 { histogram.record(26_000_000) }
        histogram.record(1_000_000_000)
        let latency = LoadReport.Latency(histogram)
        #expect(latency.count == 101)
        #expect(abs(latency.p50 - 26) < 0.13 && latency.max == 1000)
    }
}
