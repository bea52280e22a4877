import BridgeCore
import NIOCore

/// The running timers of one session, but for the keepalive: that is ``KeepAliveClock``'s.
struct SessionTimers {
    private let eventLoop: any EventLoop
    private var running: [SessionTimer: Scheduled<Void>] = [:]

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    mutating func start(_ timer: SessionTimer, after delay: TimeAmount, fire: @escaping () -> Void) {
        running.updateValue(eventLoop.assumeIsolated().scheduleTask(in: delay, fire), forKey: timer)?.cancel()
    }

    mutating func stop(_ timer: SessionTimer) {
        running.removeValue(forKey: timer)?.cancel()
        // A connected session has none: no storage either.
        if running.isEmpty { running = [:] }
    }

    mutating func stopAll() {
        for task in running.values { task.cancel() }
        running = [:]
    }
}
