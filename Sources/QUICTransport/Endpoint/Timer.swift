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
/// Moving a timer is cheap, because what the loop was asked for before stays: a timer that is woken early sleeps on.
///
/// Confined to its event loop. A timer that is deallocated does not fire any more.
package final class Timer {
    private let eventLoop: any EventLoop
    private var fire: (() -> Void)?
    /// Present while the loop may have to wake the timer.
    private var alarms: TimerAlarms?
    private var isArmedUntil: NIODeadline?

    package init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    deinit {
        alarms?.cancel()
    }

    /// When the timer will fire; `nil` if it is not armed.
    package var deadline: NIODeadline? { isArmedUntil }

    /// Whether the timer will fire.
    package var isArmed: Bool { isArmedUntil != nil }

    /// Fires once at that time, or in the next tick if it has passed. Replaces what the timer was armed for before.
    package func arm(at deadline: NIODeadline, _ fire: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        isArmedUntil = deadline
        self.fire = fire
        let alarms = alarms ?? TimerAlarms(of: self, on: eventLoop)
        self.alarms = alarms
        alarms.set(by: deadline)
    }

    /// The same, with a delay from now.
    package func arm(in delay: TimeAmount, _ fire: @escaping () -> Void) {
        arm(at: .now() + delay, fire)
    }

    /// Fires at that time, unless the timer is armed to fire earlier or no more than `slack` later: then it stays as it
    /// is. Moving a timer costs more than an occasional firing that finds nothing due.
    package func arm(by deadline: NIODeadline, slack: TimeAmount = .zero, _ fire: @escaping () -> Void) {
        if let current = isArmedUntil, current <= deadline + slack { return }
        arm(at: deadline, fire)
    }

    /// Does nothing if the timer is not armed.
    package func cancel() {
        guard isArmedUntil != nil else { return }
        isArmedUntil = nil
        fire = nil
        alarms?.cancel()
        alarms = nil
    }

    /// Runs `fire` once after that time. This cannot be cancelled, so `fire` has to check whether it still applies.
    package static func once(in delay: TimeAmount, on eventLoop: any EventLoop, _ fire: @escaping () -> Void) {
        eventLoop.assumeIsolated().scheduleTask(in: delay) { () -> Void in
            TimerFirings.count()
            fire()
        }
    }

    /// An alarm rang, perhaps one that was set for an earlier arming.
    func woken(at now: NIODeadline) {
        guard let deadline = isArmedUntil, let fire else { return }
        guard deadline <= now else {
            alarms?.set(by: deadline)
            return
        }
        isArmedUntil = nil
        self.fire = nil
        fire()
    }
}

/// Counts how often timers of this process were woken, including those that had nothing to do. Under a steady load the
/// number per message stays the same, however long the process runs.
package enum TimerFirings {
    private static let counter = Atomic<UInt64>(0)

    /// Since the process began; from any thread.
    package static var total: UInt64 { counter.load(ordering: .relaxed) }

    static func count() {
        counter.wrappingAdd(1, ordering: .relaxed)
    }
}
