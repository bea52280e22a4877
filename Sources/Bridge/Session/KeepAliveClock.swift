import BridgeCore
import NIOCore
import QUICTransport

/// One timer for the keepalives of all devices of an event loop.
///
/// One timer per device would cost each device some 250 bytes, and every other timer of the loop a longer way through
/// the loop's heap.
final class KeepAliveClock {
    /// Is called when a deadline has passed, and returns the next one, if there is one.
    typealias Check = (_ key: DeviceID, _ now: NIODeadline) -> NIODeadline?

    /// Keepalives that end within this time are handled together. MQTT asks for no precision: a server may be patient
    /// ([MQTT-3.1.2-24] is one and a half times the keepalive).
    private static let granularity = TimeAmount.milliseconds(100)

    private var deadlines = DeadlineQueue<DeviceID>()
    private let timer: Timer

    init(eventLoop: any EventLoop) {
        self.timer = Timer(on: eventLoop)
    }

    /// Calls `check` at `deadline`, and again at each deadline that `check` returns.
    func watch(_ key: DeviceID, _ deadline: NIODeadline, _ check: @escaping Check) {
        deadlines.update(key, deadline: deadline)
        arm(check)
    }

    func forget(_ key: DeviceID) {
        deadlines.remove(key)
    }

    private func arm(_ check: @escaping Check) {
        guard let earliest = deadlines.earliest else { return }
        timer.arm(by: earliest + Self.granularity) { [weak self] in self?.fired(check) }
    }

    private func fired(_ check: @escaping Check) {
        let now = NIODeadline.now()
        while let key = deadlines.popDue(at: now) {
            if let next = check(key, now) { deadlines.update(key, deadline: max(next, now + Self.granularity)) }
        }
        arm(check)
    }
}
