import BenchmarkLoad
import Foundation

/// One run of `bench load` on one path.
final class LoadRun {
    let lane: Stage.Lane
    private let process: ChildProcess
    private let output: String

    /// What the load writes to standard error when the first message is due, or when all devices have begun to idle.
    static let publishing = "publishing"

    /// - Parameter notBefore: the earliest time of the first message, in seconds of the monotonic clock.
    init(_ lane: Stage.Lane, _ condition: Condition, on stage: Stage, notBefore: Double? = nil) throws {
        self.lane = lane
        let run = UUID().uuidString
        output = "\(stage.folder)/load-\(run).json"
        let command = [stage.tools.bench, "load"] + Self.arguments(lane, condition, on: stage, notBefore: notBefore)
        process = try ChildProcess(
            "the load on \(lane.path.name)", command, log: "\(stage.folder)/load-\(run).log", output: output)
    }

    /// Whether the first message was due.
    ///
    /// - Throws: `SuiteError` if the load has ended before.
    var hasBegun: Bool {
        get throws {
            if process.logText.contains(Self.publishing) { return true }
            guard hasEnded else { return false }
            throw process.failure ?? SuiteError("\(process.name) has ended early\(process.logEnd)")
        }
    }

    var hasEnded: Bool { process.status != nil }

    /// - Throws: `SuiteError` if the load has failed.
    func check() throws {
        if let failure = process.failure { throw failure }
    }

    /// Waits for the end of the run.
    ///
    /// - Throws: `SuiteError` if the load has failed, or writes something else than a report.
    func report() throws -> LoadReport {
        process.wait()
        try check()
        let data = FileManager.default.contents(atPath: output) ?? Data()
        do {
            return try JSONDecoder().decode(LoadReport.self, from: data)
        } catch {
            throw SuiteError("\(process.name) has written no report: \(error)\(process.logEnd)")
        }
    }
}
