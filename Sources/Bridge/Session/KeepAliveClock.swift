import NIOCore
import QUICTransport

/// One timer for the keepalives of all devices of an event loop.
///
/// A timer of its own for each device would cost it some 250 bytes, and every other timer of the loop a longer way
/// through the loop's heap.
final class KeepAliveClock {
    /// Tells whose deadline has passed; answers the next one, where there is one.
    typealias Check = (_ key: ObjectIdentifier, _ now: NIODeadline) -> NIODeadline?

    /// Keepalives that are over within this time are looked at together. MQTT asks for no precision: a server may be
    /// patient ([MQTT-3.1.2-24] is one and a half times the keepalive).
    private static let granularity = TimeAmount.milliseconds(100)

    private var deadlines = DeadlineQueue()
    private let timer: Timer

    init(eventLoop: any EventLoop) {
        self.timer = Timer(on: eventLoop)
    }

    /// `check` is asked at `deadline`, and again at what it answers.
    func watch(_ key: ObjectIdentifier, _ deadline: NIODeadline, _ check: @escaping Check) {
        deadlines.update(key, deadline: deadline)
        arm(check)
    }

    func forget(_ key: ObjectIdentifier) {
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
