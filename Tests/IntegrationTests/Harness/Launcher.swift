import Foundation
import Synchronization

/// Starts processes from one thread that never ends.
///
/// Child processes are started through `setpriv --pdeathsig`, so that none of them outlives a test run that is killed.
/// The kernel sends that signal when the *thread* that started the child ends, and the threads of a pool may end at any
/// time.
final class Launcher: Sendable {
    static let shared = Launcher()

    private struct Job: Sendable {
        let body: @Sendable () -> Void
    }

    private let jobs = Mutex<[Job]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            // The threads of a pool block all signals. This thread inherits that, and the child processes would too:
            // they would ignore SIGTERM.
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            while true {
                waiting.wait()
                jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }?.body()
            }
        }
        thread.name = "launcher"
        thread.start()
    }

    /// Runs `body` on the launcher's own thread.
    func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            jobs.withLock { $0.append(Job { continuation.resume(with: Result(catching: body)) }) }
            waiting.signal()
        }
    }
}
