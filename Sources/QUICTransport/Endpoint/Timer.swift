import NIOCore
import Synchronization

/// One timer on an event loop. It is armed with a deadline, can be moved or cancelled, and can be armed again any
/// number of times.
///
/// It never fires for an arming that was replaced or cancelled. A task that is scheduled with SwiftNIO directly gives
/// no such promise: the loop collects all tasks that are due in a tick, and runs them even if an earlier one of them
/// cancels a later one. An owner that then arms the timer again has two timers although it knows about only one, and
/// their number keeps growing.
///
/// Confined to its event loop. A timer that is deallocated does not fire any more.
package final class Timer {
    private let eventLoop: any EventLoop
    private var task: Scheduled<Void>?
    /// Tells the current arming from those that were replaced, were cancelled or have fired.
    private var arming: UInt64 = 0
    /// When the timer will fire; `nil` if it is not armed.
    package private(set) var deadline: NIODeadline?

    package init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    deinit {
        task?.cancel()
    }

    /// Whether the timer will fire.
    package var isArmed: Bool { deadline != nil }

    /// Fires once at that time, or in the next tick if it has passed. Replaces what the timer was armed for before.
    package func arm(at deadline: NIODeadline, _ fire: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        task?.cancel()
        arming &+= 1
        self.deadline = deadline
        task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self, arming] () -> Void in
            TimerFirings.count()
            self?.ran(arming, fire)
        }
    }

    /// The same, with a delay from now.
    package func arm(in delay: TimeAmount, _ fire: @escaping () -> Void) {
        arm(at: .now() + delay, fire)
    }

    /// Fires at that time, unless the timer is armed to fire earlier or no more than `slack` later: then it stays as it
    /// is. Moving a timer costs more than an occasional firing that finds nothing due.
    package func arm(by deadline: NIODeadline, slack: TimeAmount = .zero, _ fire: @escaping () -> Void) {
        if let current = self.deadline, current <= deadline + slack { return }
        arm(at: deadline, fire)
    }

    /// Does nothing if the timer is not armed.
    package func cancel() {
        guard deadline != nil else { return }
        forget()?.cancel()
    }

    /// Runs `fire` once after that time. This cannot be cancelled, so `fire` has to check whether it still applies.
    package static func once(in delay: TimeAmount, on eventLoop: any EventLoop, _ fire: @escaping () -> Void) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { () -> Void in
            TimerFirings.count()
            fire()
        }
    }

    private func ran(_ arming: UInt64, _ fire: () -> Void) {
        guard deadline != nil, arming == self.arming else { return }
        _ = forget()
        fire()
    }

    private func forget() -> Scheduled<Void>? {
        deadline = nil
        defer { task = nil }
        return task
    }
}

/// Counts how often timers of this process have fired, including those that were cancelled in the same tick. Under a
/// steady load the number per message stays the same, however long the process runs.
package enum TimerFirings {
    private static let counter = Atomic<UInt64>(0)

    /// Since the process began; from any thread.
    package static var total: UInt64 { counter.load(ordering: .relaxed) }

    fileprivate static func count() {
        counter.wrappingAdd(1, ordering: .relaxed)
    }
}
