import Foundation
import Synchronization

/// What must not be left behind, however the suite ends: processes, namespaces and temporary folders.
package final class CleanUp: Sendable {
    package static let shared = CleanUp()

    private struct State {
        var hasBegun = false
        var processes: Set<Int32> = []
        var steps: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    /// Held while things are undone, so that a signal that arrives meanwhile waits for the end of that.
    private let undoing = Mutex(())

    /// Whether everything is being undone. What fails from then on fails because of that.
    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Adds a process to be killed. If everything is being undone already, it is killed at once.
    func add(process: Int32) {
        let isLate = state.withLock { state in
            state.processes.insert(process)
            return state.hasBegun
        }
        if isLate { kill(process, SIGKILL) }
    }

    func remove(process: Int32) {
        state.withLock { _ = $0.processes.remove(process) }
    }

    /// Adds something to undo. Steps are done in the reverse order, after all processes have been killed.
    func add(_ step: @escaping @Sendable () -> Void) {
        state.withLock { $0.steps.append(step) }
    }

    /// Undoes everything, each thing once.
    package func run() {
        undoing.withLock { _ in
            let (processes, steps) = state.withLock { state in
                defer { state.steps = [] }
                state.hasBegun = true
                return (state.processes, state.steps)
            }
            for process in processes { kill(process, SIGKILL) }
            for step in steps.reversed() { step() }
        }
    }

    /// From this call on SIGINT, SIGTERM and SIGHUP undo everything and end the program.
    ///
    /// - Parameter onSignal: asked first; if it returns true, nothing else happens.
    package func handleSignals(_ onSignal: @escaping @Sendable () -> Bool = { false }) {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in
                if onSignal() { return }
                run()
                exit(128 + number)
            }
            source.resume()
            // It lasts as long as the program.
            _ = Unmanaged.passRetained(source as AnyObject)
        }
    }
}
