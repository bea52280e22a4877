import Foundation

/// The thread that starts all processes, with whose end the kernel would kill them; the threads of a pool may end at any
/// time.
package enum SuiteThread {
    /// Runs `body` on the thread, and then undoes everything that it has started.
    package static func run(_ body: @escaping @Sendable () throws -> Bool) throws -> Bool {
        var outcome: Result<Bool, any Error>?
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) let store = { outcome = $0 }
        let thread = Thread {
            let result = Result { try body() }
            // The program is about to end, and what has failed has been killed.
            while CleanUp.shared.hasBegun { Thread.sleep(forTimeInterval: 1) }
            CleanUp.shared.run()
            store(result)
            done.signal()
        }
        thread.name = "suite"
        thread.start()
        done.wait()
        return try outcome?.get() ?? false
    }
}
