import NIOCore

/// The wake-ups that a timer has asked its event loop for.
///
/// There are two at most: the earliest one, and one that was the earliest before. A timer that is often moved from a
/// distant deadline to a near one and back need not ask for the distant one each time. An alarm that comes too early
/// only makes the timer look at its deadline.
final class TimerAlarms {
    private struct Alarm {
        let time: NIODeadline
        let callback: NIOScheduledCallback
    }

    private let eventLoop: any EventLoop
    private weak var timer: Timer?
    private var next: Alarm?
    private var later: Alarm?

    init(of timer: Timer, on eventLoop: any EventLoop) {
        self.timer = timer
        self.eventLoop = eventLoop
    }

    /// Makes sure that one rings at that time or before.
    func set(by deadline: NIODeadline) {
        if let next {
            guard deadline < next.time else { return }
            if later == nil { later = next } else { next.callback.cancel() }
        }
        // It fails only if the event loop has been shut down, and then nothing fires any more.
        guard let callback = try? eventLoop.scheduleCallback(at: deadline, handler: Bell(self, eventLoop)) else {
            return
        }
        next = Alarm(time: deadline, callback: callback)
    }

    func cancel() {
        next?.callback.cancel()
        later?.callback.cancel()
        (next, later) = (nil, nil)
    }

    /// The event loop also runs callbacks that were cancelled in the same tick, so this may be one that is forgotten.
    fileprivate func rang() {
        TimerFirings.count()
        let now = NIODeadline.now()
        while let due = next, due.time <= now { (next, later) = (later, nil) }
        timer?.woken(at: now)
    }

    /// An object, because the event loop copies its tasks often, and one reference is copied faster than a struct.
    private final class Bell: NIOScheduledCallbackHandler, Sendable {
        private let alarms: NIOLoopBound<TimerAlarms>

        init(_ alarms: TimerAlarms, _ eventLoop: any EventLoop) {
            self.alarms = NIOLoopBound(alarms, eventLoop: eventLoop)
        }

        func handleScheduledCallback(eventLoop: some EventLoop) {
            alarms.value.rang()
        }
    }
}
