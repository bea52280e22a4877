import Foundation

/// A server or sidecar of a measurement, which can be killed and started again.
final class Program {
    let name: String
    private let command: [String]
    private let log: String
    private let isReady: (Int32) -> Bool
    private var process: ChildProcess?

    /// How long a program may take to be ready, in seconds. A busy machine needs a while for Python.
    private static let patience = 20.0

    /// Describes a program, without starting it.
    ///
    /// - Parameter isReady: whether the process with this id can be used, which is asked until it can.
    init(_ name: String, _ command: [String], log: String, isReady: @escaping (Int32) -> Bool) {
        self.name = name
        self.command = command
        self.log = log
        self.isReady = isReady
    }

    deinit {
        stop()
    }

    /// The process id; `nil` if the program does not run.
    var pid: Int32? { process?.status == nil ? process?.pid : nil }

    /// Starts the program, and waits until it is ready.
    func start() throws {
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

    func stop() {
        process?.kill()
        process = nil
    }

    /// - Throws: `SuiteError` with the end of its log if the program has ended by itself.
    func check() throws {
        guard let process, process.status != nil else { return }
        throw process.failure ?? SuiteError("\(name) has ended by itself\(process.logEnd)")
    }

    /// The number of timers that have fired in the process since its start, by the line of statistics that the bridge and
    /// `serve` write on SIGUSR2; `nil` if none comes within a second.
    func timerFirings() -> Int? {
        guard let process else { return nil }
        let before = StatisticsLine.count(in: process.logText)
        process.signal(SIGUSR2)
        for _ in 0..<100 {
            let text = process.logText
            if StatisticsLine.count(in: text) > before { return StatisticsLine.timerFirings(in: text) }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return nil
    }
}
