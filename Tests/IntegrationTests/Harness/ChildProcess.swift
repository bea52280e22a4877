import Foundation
import Synchronization

/// A program that a test has started, with its output as lines, its input and its end.
final class ChildProcess: Sendable {
    let name: String
    /// The lines of standard output.
    let output = EventLog<String>()
    /// The lines of standard error.
    let errors = EventLog<String>()
    /// One element, once the process has ended: how it did.
    let ends = EventLog<ProcessEnd>()

    private let process: Mutex<Process>
    private let input: FileHandle

    enum ProcessEnd: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// Receives each line of output, and `nil` after the last one.
    typealias LineHandler = @Sendable (String?) async -> Void

    /// Starts `executable`, which is looked up in PATH if it contains no slash.
    static func start(
        _ name: String, _ executable: String, _ arguments: [String], onOutput: @escaping LineHandler = { _ in }
    ) async throws -> ChildProcess {
        try await Launcher.shared.run { try ChildProcess(name, executable, arguments, onOutput) }
    }

    private init(_ name: String, _ executable: String, _ arguments: [String], _ onOutput: @escaping LineHandler) throws
    {
        self.name = name
        let process = Process()
        let output = Pipe()
        let errors = Pipe()
        let input = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["setpriv", "--pdeathsig", "KILL", "--", executable] + arguments
        process.environment = Toolbox.environment
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = input
        let ends = self.ends
        let writing = input.fileHandleForWriting
        process.terminationHandler = { process in
            try? writing.close()
            let end: ProcessEnd =
                process.terminationReason == .exit
                ? .exit(process.terminationStatus) : .signal(process.terminationStatus)
            Task {
                await ends.append(end)
            }
        }
        try process.run()
        self.process = Mutex(process)
        self.input = input.fileHandleForWriting
        Self.read(output.fileHandleForReading, into: self.output, of: name, onOutput)
        Self.read(errors.fileHandleForReading, into: self.errors, of: name) { _ in }
    }

    var identifier: Int32 { process.withLock { $0.processIdentifier } }

    /// Writes a line to the program's standard input.
    func send(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Closes the program's standard input.
    func endInput() throws {
        try input.close()
    }

    func signal(_ number: Int32) {
        let identifier = identifier
        if identifier > 0, process.withLock({ $0.isRunning }) {
            kill(identifier, number)
        }
    }

    /// Waits until the process has ended by itself.
    func end(within patience: Duration = EventLog<String>.patience) async throws -> ProcessEnd {
        try await ends.first("the end of \(name)", within: patience) { _ in true }
    }

    /// Kills the process if it is still running, and waits until it has ended.
    func stop() async {
        signal(SIGKILL)
        _ = try? await end()
        try? input.close()
    }

    /// Reads the next bytes, and waits for them if necessary; `nil` at the end. This is not `availableData`, because
    /// that ends the test process if a signal interrupts it.
    private static func chunk(of handle: FileHandle) -> Data? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = bytes.withUnsafeMutableBytes {
                Foundation.read(handle.fileDescriptor, $0.baseAddress, $0.count)
            }
            if count > 0 { return Data(bytes.prefix(count)) }
            guard count < 0, errno == EINTR else { return nil }
        }
    }

    private static func read(
        _ handle: FileHandle, into log: EventLog<String>, of name: String, _ onLine: @escaping LineHandler
    ) {
        let (chunks, feed) = AsyncStream.makeStream(of: Data.self)
        // This is not a `readabilityHandler`, because its event source may outlive the descriptor. With many child
        // processes that ends the test process now and then.
        Thread.detachNewThread {
            while let data = chunk(of: handle) { feed.yield(data) }
            // Foundation keeps a process and its pipes longer than the test needs them, which adds up to hundreds of
            // descriptors.
            try? handle.close()
            feed.finish()
        }
        Task {
            var rest = Data()
            for await chunk in chunks {
                rest.append(chunk)
                while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: rest[rest.startIndex..<newline], as: UTF8.self)
                    rest = Data(rest[rest.index(after: newline)...])
                    await log.append(line)
                    await onLine(line)
                }
            }
            await log.finish("\(name) has ended")
            await onLine(nil)
        }
    }
}
