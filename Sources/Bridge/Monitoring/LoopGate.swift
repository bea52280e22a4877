import NIOCore
import Synchronization

/// Hands tasks to event loops as long as these run.
///
/// A loop that has been shut down drops its tasks, and whoever waits for the outcome of one waits for ever. So a task is
/// handed over under a lock, and the loops are shut down only after ``close()``: what was handed over before still runs.
final class LoopGate: Sendable {
    private let isOpen = Mutex(true)

    /// Runs `body` on the loop. Returns `nil` if the loops have ended.
    func run<Result: Sendable>(
        on loop: any EventLoop, _ body: @escaping @Sendable () -> Result
    ) async -> Result? {
        let result = isOpen.withLock { isOpen in isOpen ? loop.submit(body) : nil }
        return try? await result?.get()
    }

    /// Runs `body` on the loop, which nobody waits for. Returns `false` if the loops have ended.
    func send(to loop: any EventLoop, _ body: @escaping @Sendable () -> Void) -> Bool {
        isOpen.withLock { isOpen in
            if isOpen { loop.execute(body) }
            return isOpen
        }
    }

    /// The loops are about to be shut down.
    func close() {
        isOpen.withLock { $0 = false }
    }
}
