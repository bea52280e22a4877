import BridgeCore
import NIOCore

/// The running timers of one session.
///
/// The keepalive is special: every packet moves it, so it is not moved at all but compared when it runs out.
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
    }

    mutating func stopAll() {
        for task in running.values { task.cancel() }
        running.removeAll()
    }
}
