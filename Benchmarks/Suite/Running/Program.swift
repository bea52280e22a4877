import Foundation

/// A server or sidecar of a measurement, which can be killed and started again.
package final class Program {
    package let name: String
    private let command: [String]
    private let log: String
    private let isReady: (Int32) -> Bool
    private var process: ChildProcess?

    /// How long a program may take to be ready, in seconds. A busy machine needs a while for Python.
    private static let patience = 20.0

    /// Describes a program, without starting it.
    ///
    /// - Parameter isReady: whether the process with this id can be used, which is asked until it can.
    package init(_ name: String, _ command: [String], log: String, isReady: @escaping (Int32) -> Bool) {
        self.name = name
        self.command = command
        self.log = log
        self.isReady = isReady
    }

    deinit {
        stop()
    }

    /// The process id; `nil` if the program does not run.
    package var pid: Int32? { process?.status == nil ? process?.pid : nil }

    /// Starts the program, and waits until it is ready.
    package func start() throws {
        let process = try ChildProcess(name, command, log: log)
        self.process = process
        let started = ContinuousClock.now
        while !isReady(process.pid) {
            if process.status != nil {
                throw process.failure ?? SuiteError("\(name) has ended\(process.logEnd)")
            }
            guard started.duration(to: .now) < .seconds(Self.patience) else {
                throw SuiteError("\(name) was not ready within \(Int(Self.patience)) s\(process.logEnd)")
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    package func stop() {
        process?.kill()
        process = nil
    }

    package func signal(_ number: Int32) {
        process?.signal(number)
    }

    /// Asks the program to end in its own way, and waits for that.
    ///
    /// - Throws: `SuiteError` if it does not end in time, or with an exit code other than 0; it has ended then, too.
    package func terminate() throws {
        guard let process else { return }
        defer { stop() }
        process.signal(SIGTERM)
        let asked = ContinuousClock.now
        while process.status == nil {
            guard asked.duration(to: .now) < .seconds(Self.patience) else {
                throw SuiteError("\(name) has not ended within \(Int(Self.patience)) s after SIGTERM\(process.logEnd)")
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        if let failure = process.failure { throw failure }
    }

    /// - Throws: `SuiteError` with the end of its log if the program has ended by itself.
    package func check() throws {
        guard let process, process.status != nil else { return }
        throw process.failure ?? SuiteError("\(name) has ended by itself\(process.logEnd)")
    }

    /// The number of timers that have fired in the process since its start, by the line of statistics that the bridge and
    /// `serve` write on SIGUSR2; `nil` if none comes within a second.
    package func timerFirings() -> Int? {
        guard let process else { return nil }
        let before = process.logLength
        process.signal(SIGUSR2)
        for _ in 0..<100 {
            let text = process.logText(from: before)
            if StatisticsLine.count(in: text) > 0 { return StatisticsLine.timerFirings(in: text) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return nil
    }
}
