import NIOCore
import Synchronization

/// One timer on an event loop: armed with a deadline, moved or cancelled, and armed again as often as its owner likes.
///
/// It never fires for an arming that is not the present one. A task that was scheduled with SwiftNIO directly gives no
/// such promise: the loop takes all tasks that are due in a tick into one batch, and one that is cancelled by an earlier
/// task of its batch runs all the same. An owner that answers such a run by arming anew then has two timers where it
/// knows of one, and their number only grows.
///
/// Confined to its event loop. A timer that its owner lets go of does not fire any more.
package final class Timer {
    private let eventLoop: any EventLoop
    private var task: Scheduled<Void>?
    /// Tells the present arming from those that were replaced, cancelled or have fired.
    private var arming: UInt64 = 0
    /// When it will fire; nil where it is not armed.
    package private(set) var deadline: NIODeadline?

    package init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    deinit {
        task?.cancel()
    }

    package var isArmed: Bool { deadline != nil }

    /// Fires once at that time, or in the next tick where it has passed. What it was armed for before does not happen.
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

    /// The same, that much from now.
    package func arm(in delay: TimeAmount, _ fire: @escaping () -> Void) {
        arm(at: .now() + delay, fire)
    }

    /// Fires at that time, unless it is armed to fire no later than `slack` after it: then it is left as it is. To move a
    /// timer costs more than to have it fire for nothing now and then.
    package func arm(by deadline: NIODeadline, slack: TimeAmount = .zero, _ fire: @escaping () -> Void) {
        if let present = self.deadline, present <= deadline + slack { return }
        arm(at: deadline, fire)
    }

    package func cancel() {
        guard deadline != nil else { return }
        forget()?.cancel()
    }

    /// Runs `fire` once after that time. Nobody can take it back, so it has to look at what has become of things.
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

/// How often timers of this process have fired, those included that had been cancelled in the same tick. Under a steady
/// load the number per message stays the same, however long the process runs.
package enum TimerFirings {
    private static let counter = Atomic<UInt64>(0)

    package static var total: UInt64 { counter.load(ordering: .relaxed) }

    fileprivate static func count() {
        counter.wrappingAdd(1, ordering: .relaxed)
    }
}
