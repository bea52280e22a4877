import ArgumentParser
import Foundation
import Testing

@testable import mqtt_quic_bridge

@Suite struct BenchReportTests {
    typealias Change = @Sendable (inout BenchPlan, inout BenchTally.Counts) -> Void

    struct Trouble: Sendable {
        let words: String
        let change: Change

        init(_ words: String, _ change: @escaping Change) {
            self.words = words
            self.change = change
        }
    }

    private static func report(
        _ publishing: BenchUsage = BenchUsage(used: 0.5, available: 2), isInterrupted: Bool = false,
        change: Change = { _, _ in }
    ) -> BenchReport {
        var plan = BenchPlan()
        var counts = BenchTally.Counts()
        counts.connected = 10
        (counts.sent, counts.published, counts.bytesSent) = (300, 300, 19_200)
        for milliseconds in 1...100 {
            counts.connect.record(Int64(milliseconds) * 1_000_000)
            counts.publish.record(Int64(milliseconds) * 10_000_000)
            counts.lag.record(Int64(milliseconds) * 10_000)
        }
        change(&plan, &counts)
        return BenchReport(
            plan: plan, counts: counts, seconds: 30, connecting: BenchUsage(used: 0.1, available: 2),
            publishing: publishing, wasInterrupted: isInterrupted)
    }

    @Test func theTable() {
        let report = Self.report()
        let text = report.text
        #expect(text.contains("connected    10 of 10 devices\n"))
        #expect(text.contains("published    300 of 300 in 30.0 s: 10.0/s, 0.6 kB/s\n"))
        #expect(text.contains("processor    0.5 of 2 used by this program (while connecting: 0.1)\n"))
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(text)")
        let table = lines.drop { !$0.hasPrefix("latency") }.map { $0.split(separator: " ").map(String.init) }
        #expect(table.first == ["latency", "count", "p50", "p95", "p99", "max"])
        #expect(table.dropFirst().map(\.first) == ["connect", "publish", "own"])
        #expect(table[safe: 2]?.suffix(2) == ["1000", "ms"], "\(table)")
        #expect(report.isClean && report.exitCode == .success && !report.isLimitedByThisMachine)
    }

    /// Each of these is an error, and the table says it.
    @Test(arguments: [
        Trouble(", 1 lost\n") { $1.lost = 1 }, Trouble("unanswered   4 at the end") { $1.unanswered = 4 },
        Trouble("never sent   7 that were due") { $1.unsent = 7 },
        Trouble("\nerrors\n2 x refused\n") {
            $1.connectFailures = 2
            $1.note("refused")
            $1.note("refused")
        },
        // The broker's words must not control the terminal.
        Trouble(#"1 x refused: "\u{1B}[2J\u{A}2 x all is well""#) {
            $1.connectFailures = 1
            $1.note("refused: \"\u{1B}[2J\n2 x all is well\"")
        },
        Trouble("1 x rejected") {
            $1.publishFailures = 1
            $1.note("rejected")
        },
        Trouble("received     590: 19.7/s, 0.0 kB/s, 10 missing") {
            $0.subscribers = 2
            ($1.subscribed, $1.received) = (2, 590)
        },
        Trouble("0 of 1 subscribers") { plan, _ in plan.subscribers = 1 },
    ])
    func whatWentWrong(_ trouble: Trouble) {
        let report = Self.report(change: trouble.change)
        #expect(report.text.contains(trouble.words), "\(report.text)")
        #expect(!report.isClean && report.exitCode == ExitCode(3))
        #expect(!BenchDocument(report).ok)
    }

    @Test func messagesOfQoS0MayBeLost() {
        let report = Self.report { plan, counts in
            (plan.subscribers, plan.qos) = (1, .atMostOnce)
            (counts.subscribed, counts.received) = (1, 299)
        }
        #expect(report.isClean && report.missing == 1)
    }

    @Test func noDeviceAtAll() {
        let report = Self.report { $1.connected = 0 }
        #expect(report.exitCode == .unavailable)
    }

    @Test(arguments: [
        (BenchUsage(used: 1.6, available: 2), false), (BenchUsage(used: 1.8, available: 2), true),
    ])
    func aProgramWithoutProcessorTimeSaysSo(_ usage: BenchUsage, _ isLimited: Bool) {
        let report = Self.report(usage)
        #expect(report.isLimitedByThisMachine == isLimited)
        #expect(report.text.contains("This machine is the limit") == isLimited)
        #expect(BenchDocument(report).limitedByThisMachine == isLimited)
    }

    @Test func aProgramThatIsLateSaysSo() {
        let report = Self.report { _, counts in for _ in 0..<5 { counts.lag.record(50_000_000) } }
        #expect(report.isLimitedByThisMachine)
        #expect(report.text.contains("1 % of the messages more\nthan 49.94 ms late."), "\(report.text)")
    }

    @Test func theJSONHasTheSameNumbers() throws {
        let report = Self.report(isInterrupted: true) { plan, counts in
            plan.subscribers = 1
            for _ in 0..<3 { counts.note("often http://x/") }
            counts.note("once")
        }
        let text = try BenchDocument(report).text()
        for part in [
            #""published" : 300"#, #""devices" : 10"#, #""interrupted" : true"#, #""missing" : 300"#,
            #""limited_by_this_machine" : false"#, #""latency_ms" : {"#, #""own_delay" : {"#, "often http://x/",
        ] {
            #expect(text.contains(part), "'\(part)' in: \(text)")
        }
        let document = BenchDocument(report)
        #expect(document.latencyMs.publish?.max == 1_000 && document.latencyMs.publish?.count == 100)
        #expect(document.latencyMs.endToEnd == nil)
        #expect(document.errors.map(\.count) == [3, 1] && document.errors.first?.error == "often http://x/")
        #expect(document.publishedPerSecond == 10)
    }

    /// Errors that differ from device to device do not fill the memory.
    @Test func errorsAreBounded() {
        var counts = BenchTally.Counts()
        for number in 0..<1_000 { counts.note("error \(number)") }
        #expect(counts.errors.count == BenchTally.errorKinds + 1)
        #expect(counts.errors[BenchTally.otherErrors] == 1_000 - BenchTally.errorKinds)
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
