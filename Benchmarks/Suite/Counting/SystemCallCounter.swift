import Foundation

/// Counts the system calls of a process for some seconds, with what the machine has.
enum SystemCallCounter: Sendable {
    /// `perf stat` on the kernel's tracepoint, which costs the process next to nothing.
    case perf
    /// `strace -c`, which slows the process down.
    case strace

    /// What works here for this user; `nil` if nothing does.
    static let available: SystemCallCounter? = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-probe-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if runs(perf(pid: nil) + ["true"], folder), let text = try? String(contentsOfFile: folder, encoding: .utf8),
            PerfOutput.systemCalls(in: text) != nil
        {
            return .perf
        }
        return runs(["strace", "-c", "-f", "true"], folder) ? .strace : nil
    }()

    /// The command that counts for this many seconds and then writes the counts to standard error.
    func command(pid: Int32, seconds: Double) -> [String] {
        switch self {
        case .perf: Self.perf(pid: pid) + ["sleep", "\(seconds)"]
        case .strace: ["timeout", "--signal", "INT", "\(seconds)", "strace", "-c", "-f", "-p", "\(pid)"]
        }
    }

    func count(in text: String) -> Int? {
        switch self {
        case .perf: PerfOutput.systemCalls(in: text)
        case .strace: StraceOutput.systemCalls(in: text)
        }
    }

    private static func perf(pid: Int32?) -> [String] {
        ["perf", "stat", "-x", ",", "-e", PerfOutput.event] + (pid.map { ["-p", "\($0)"] } ?? [])
    }

    private static func runs(_ command: [String], _ log: String) -> Bool {
        guard let process = try? ChildProcess("probe", command, log: log) else { return false }
        process.wait()
        return process.status == 0
    }
}

/// What `perf stat -x ,` writes.
package enum PerfOutput {
    static let event = "raw_syscalls:sys_enter"

    /// `nil` if the event was not counted.
    package static func systemCalls(in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count > 2, fields[2] == event else { continue }
            return Int(fields[0])
        }
        return nil
    }
}

/// What `strace -c` writes.
package enum StraceOutput {
    /// The calls in the last line, `100.00 0.001234 5 246 3 total`, whose column for errors may be empty.
    package static func systemCalls(in text: String) -> Int? {
        for line in text.split(separator: "\n").reversed() where line.hasSuffix(" total") {
            let fields = line.split(separator: " ")
            guard fields.count >= 5 else { return nil }
            return Int(fields[3])
        }
        return nil
    }
}
