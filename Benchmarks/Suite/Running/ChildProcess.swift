import CBenchmark
import Foundation
import Glibc

/// A process that the suite has started, with all its output in one file.
///
/// The kernel ends it when the suite's thread ends, so that none outlives a suite that is killed itself.
package final class ChildProcess {
    /// How a process ends that is not needed any more.
    package enum Ending: String {
        /// At once.
        case kill = "KILL"
        /// In its own way, because it has something to undo.
        case terminate = "TERM"
    }

    let name: String
    package let pid: Int32
    let log: String
    private let ending: Ending
    private var end: Int32?

    /// Starts a program, which is looked up in PATH.
    ///
    /// - Parameter output: where its standard output goes; `nil` for the log.
    /// - Throws: `SuiteError` if it cannot be started.
    package init(
        _ name: String, _ command: [String], log: String, output: String? = nil, ending: Ending = .kill
    ) throws {
        self.name = name
        self.log = log
        self.ending = ending
        pid = try Self.spawn(["setpriv", "--pdeathsig", ending.rawValue, "--"] + command, output ?? log, log)
        if ending == .kill { CleanUp.shared.add(process: pid) }
    }

    deinit {
        if ending == .kill { kill() }
    }

    /// How the process has ended, as `waitpid` says it; `nil` while it runs.
    var status: Int32? {
        if end == nil {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { ended(status) }
        }
        return end
    }

    package func signal(_ number: Int32) {
        if status == nil { Glibc.kill(pid, number) }
    }

    /// Ends the process at once, and waits until it has ended.
    func kill() {
        signal(SIGKILL)
        wait()
    }

    /// Waits until the process has ended by itself.
    package func wait() {
        while end == nil {
            var status: Int32 = 0
            if waitpid(pid, &status, 0) == pid { ended(status) } else if errno != EINTR { break }
        }
    }

    /// `nil` if the process has ended with exit code 0.
    package var failure: SuiteError? {
        guard let status, status != 0 else { return nil }
        let how = status & 0x7F == 0 ? "exit code \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
        return SuiteError("\(name) has ended with \(how)\(logEnd)")
    }

    /// The last lines of the log, to be appended to a message.
    var logEnd: String {
        let lines = logText.split(separator: "\n").suffix(20)
        return lines.isEmpty ? "; its log is empty" : "; the end of its log:\n    " + lines.joined(separator: "\n    ")
    }

    var logText: String { logText(from: 0) }

    /// The log's length in bytes.
    var logLength: UInt64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: log)
        return (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
    }

    /// The log from this byte on.
    func logText(from offset: UInt64) -> String {
        guard let file = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: offset)) != nil, let data = try? file.readToEnd() else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    private func ended(_ status: Int32) {
        end = status
        CleanUp.shared.remove(process: pid)
    }

    private static func spawn(_ command: [String], _ output: String, _ errors: String) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let mode = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, mode, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, mode, 0o600)
        // What else is open here, such as the connections of devices, would stay open in the process.
        guard cbenchmark_close_from(&actions, STDERR_FILENO + 1) == 0 else {
            throw SuiteError("\(command[0]) cannot be started: \(String(cString: strerror(errno)))")
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A process group of its own, so that Ctrl-C reaches only the suite, which then ends everything in order; and no
        // signal is blocked or ignored, as some are in the suite.
        var none = sigset_t()
        sigemptyset(&none)
        var every = sigset_t()
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, command[0], &actions, &attributes, arguments, environ)
        guard result == 0 else {
            throw SuiteError(
                "\(command.joined(separator: " ")) cannot be started: \(String(cString: strerror(result)))")
        }
        return pid
    }
}
