import Foundation

/// A running count of the system calls of one process.
final class CallCount {
    private let figure: Figure
    private let counter: SystemCallCounter
    private let seconds: Double
    private let process: ChildProcess

    /// Begins to count the calls of a path's sidecar and of its far end.
    static func start(_ lane: Stage.Lane, with counter: SystemCallCounter, seconds: Double, in folder: String) throws
        -> [CallCount]
    {
        let programs: [(Figure, Program?)] = [
            (.sidecarSystemCalls, lane.sidecar), (.farEndSystemCalls, lane.farEnd),
        ]
        return try programs.compactMap { figure, program in
            try program?.pid.map { try CallCount(figure, counter, pid: $0, seconds: seconds, in: folder) }
        }
    }

    private init(_ figure: Figure, _ counter: SystemCallCounter, pid: Int32, seconds: Double, in folder: String) throws
    {
        self.figure = figure
        self.counter = counter
        self.seconds = seconds
        let log = "\(folder)/calls-\(UUID().uuidString).log"
        process = try ChildProcess("the counter", counter.command(pid: pid, seconds: seconds), log: log)
    }

    /// Waits for the end of the count, and divides it by the messages, whose number follows from their rate.
    func result(messagesPerSecond: Double) -> Figures {
        process.wait()
        guard let count = counter.count(in: process.logText), messagesPerSecond > 0 else { return Figures() }
        return Figures([figure: Double(count) / (seconds * messagesPerSecond)])
    }
}
