import Foundation
import Testing

@testable import BenchmarkSuite

struct TableTests {
    private var table: TextTable {
        var table = TextTable(header: ["", "haproxy", "mux"])
        table.add(["end to end p50, ms", "26", "26.1 (1.00)"])
        table.add(["lost", "0", "0"])
        return table
    }

    @Test func columnsAreAligned() {
        #expect(
            table.text == """
                                    haproxy          mux
                end to end p50, ms       26  26.1 (1.00)
                lost                      0            0
                """)
    }

    @Test func markdown() {
        #expect(
            table.markdown == """
                |  | haproxy | mux |
                | --- | ---: | ---: |
                | end to end p50, ms | 26 | 26.1 (1.00) |
                | lost | 0 | 0 |
                """)
    }

    @Test func markdownEscapesWhatSeparatesCells() {
        var table = TextTable(header: ["a|b"])
        table.add(["c"])
        #expect(table.markdown == "| a\\|b |\n| --- |\n| c |")
    }

    @Test(arguments: [
        (0, "0"), (3, "3"), (29_400, "29400"), (0.034_56, "0.035"), (1.234, "1.23"), (26.06, "26.1"), (302.6, "303"),
    ])
    func numbers(_ value: Double, _ text: String) {
        #expect(ResultTable.number(value) == text)
    }

    private func result(haproxy: [Figures], mux: [Figures]) -> ConditionResult {
        let scenario = Scenario(
            name: "steady", summary: "", paths: [.haproxy, .mux], order: .interleaved(rounds: 2),
            figures: [.endToEndP50, .lost, .recoveryP50, .sidecarTimers], conditions: [])
        let measured = [(path: Path.haproxy, rounds: haproxy), (path: .mux, rounds: mux)].filter { !$0.rounds.isEmpty }
        return ConditionResult(scenario, Condition(), title: "a title", measured)
    }

    @Test func rowsAreMediansWithRatiosToHAProxy() {
        let result = result(
            haproxy: [Figures([.endToEndP50: 20, .lost: 0]), Figures([.endToEndP50: 30, .lost: 0])],
            mux: [
                Figures([.endToEndP50: 20, .lost: 1, .sidecarTimers: 0.5]),
                Figures([.endToEndP50: 20, .lost: 1, .sidecarTimers: 0.7]),
            ])
        let table = ResultTable.make(result)
        #expect(table.header == ["", "haproxy", "mux"])
        #expect(
            table.rows == [
                ["end to end p50, ms", "25", "20 (0.80)"], ["lost", "0", "1"],
                // Nobody has the row of recovery, and HAProxy's timers are not known.
                ["timer firings sidecar/message", "-", "0.600"],
            ])
    }

    @Test func withoutHAProxyThereAreNoRatios() {
        let result = result(haproxy: [], mux: [Figures([.endToEndP50: 20])])
        #expect(ResultTable.make(result).rows == [["end to end p50, ms", "20"]])
        #expect(result.columns[0].ratio == nil)
    }

    @Test func everyFigureHasAHeadingOfItsOwn() {
        #expect(Set(Figure.allCases.map(\.title)).count == Figure.allCases.count)
    }

    @Test func jsonCanBeReadAgain() throws {
        let setting = SuiteReport.Setting(
            date: "2026-01-01T00:00:00Z", cores: 2, kernel: "6.1", network: "loopback", versions: ["haproxy": "2.6"])
        var report = SuiteReport(setting: setting)
        report.results = [result(haproxy: [Figures([.lost: 1])], mux: [Figures([.lost: 2])])]
        report.leftOut = [.init("system calls", "no perf")]
        let read = try JSONDecoder().decode(SuiteReport.self, from: report.json)
        #expect(read.results[0].columns.map(\.path) == ["haproxy", "mux"])
        #expect(read.results[0].columns[1].ratio == Figures([.lost: 2]))
        #expect(read.results[0].figures == report.results[0].figures)
        #expect(read.leftOut == report.leftOut)
    }
}
