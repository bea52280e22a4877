import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes the log to standard error and never waits for whoever reads it, because everything else would wait with it: log
/// lines come from the event loops.
///
/// What the reader has no room for now waits, up to a limit, for a thread of its own; beyond that lines are lost, and
/// counted.
final class LogWriter: Sendable {
    private struct State {
        /// Bytes that wait.
        var waiting = 0
        var lost = 0
    }

    static let standardError = LogWriter(STDERR_FILENO)

    private let descriptor: CInt
    private let limit: Int
    /// A terminal says that there is room when there is some, not enough.
    private let saysWhenThereIsRoom: Bool
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")

    /// - Parameter limit: How many bytes may wait.
    init(_ descriptor: CInt, limit: Int = 1_048_576) {
        self.descriptor = descriptor
        self.limit = limit
        var status = stat()
        saysWhenThereIsRoom = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT != S_IFCHR
    }

    /// Writes the text, which is one line or more.
    func write(_ text: String) {
        let length = text.utf8.count
        state.withLock { state in
            if state.waiting == 0, length <= Self.atomicLength, saysWhenThereIsRoom, hasRoom {
                return StandardError.write(text, to: descriptor)
            }
            guard state.waiting + length <= limit else {
                state.lost += 1
                return
            }
            state.waiting += length
            queue.async { [self] in
                StandardError.write(text, to: descriptor)
                self.state.withLock { $0.waiting -= length }
            }
        }
    }

    /// How many texts were lost since this was last asked; 0 as long as there is no room to say so.
    func takeLost() -> Int {
        state.withLock { state in
            guard state.lost > 0, state.waiting < limit / 2 else { return 0 }
            defer { state.lost = 0 }
            return state.lost
        }
    }

    /// Waits until everything is written, but not for long: the reader may have stopped for good.
    func finish() {
        guard state.withLock({ $0.waiting > 0 }) else { return }
        let last = DispatchWorkItem {}
        queue.async(execute: last)
        _ = last.wait(timeout: .now() + .seconds(1))
    }

    /// So many bytes find room in a pipe that has any (`PIPE_BUF`).
    private static let atomicLength = 4_096

    private var hasRoom: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // If that fails, or nobody can read any more, the text is lost without a wait.
        return poll(&request, 1, 0) != 0
    }
}
