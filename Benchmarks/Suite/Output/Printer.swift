import Foundation

/// Writes tables to standard output, and what happens meanwhile to standard error.
struct Printer {
    let markdown: Bool

    func begin(_ scenario: Scenario, _ condition: Condition) {
        say("\(scenario.name): \(condition.title) ...")
    }

    func show(_ result: ConditionResult) {
        let table = ResultTable.make(result)
        if markdown {
            write("**\(result.scenario)**: \(result.title)\n\n\(table.markdown)\n", to: .standardOutput)
        } else {
            write("\n\(result.scenario): \(result.title)\n\(table.text)\n", to: .standardOutput)
        }
    }

    func fail(_ failure: SuiteReport.LeftOut) {
        say("error: \(failure.what): \(failure.why)")
    }

    /// What was left out or has failed, and how long everything took.
    func end(_ report: SuiteReport) {
        for item in report.leftOut { say("left out: \(item.what): \(item.why)") }
        for item in report.failures { say("failed: \(item.what)") }
        say("\(report.results.count) tables in \(Int(report.seconds.rounded())) s")
    }

    private func say(_ line: String) {
        write(line, to: .standardError)
    }

    private func write(_ line: String, to file: FileHandle) {
        file.write(Data((line + "\n").utf8))
    }
}
