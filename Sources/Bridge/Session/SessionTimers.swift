import BridgeCore
import NIOCore
import QUICTransport

/// The running timers of one session, except for its keepalive, which is ``KeepAliveClock``'s.
struct SessionTimers {
    private let eventLoop: any EventLoop
    private var running: [SessionTimer: Timer] = [:]

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    mutating func start(_ timer: SessionTimer, after delay: TimeAmount, fire: @escaping () -> Void) {
        let present = running[timer] ?? Timer(on: eventLoop)
        running[timer] = present
        present.arm(in: delay, fire)
    }

    mutating func stop(_ timer: SessionTimer) {
        running[timer] = nil
        // A connected session runs no timer, and then needs no storage either.
        if running.isEmpty { running = [:] }
    }

    mutating func stopAll() {
        running = [:]
    }
}
