import NIOCore
import QUICTransport

/// One timer that lets the sessions of an event loop rest once nothing has come for a while. It runs only while there
/// are sessions that are not at rest.
final class RestClock {
    /// Returns whether the session is at rest now. It is if nothing has come since the previous call.
    typealias Check = (_ key: ObjectIdentifier) -> Bool

    /// A session rests after one to two of these without a packet.
    private static let interval = TimeAmount.seconds(5)

    private var awake: [ObjectIdentifier] = []
    private let timer: Timer

    init(eventLoop: any EventLoop) {
        self.timer = Timer(on: eventLoop)
    }

    /// Calls `check` from time to time until it returns true.
    func watch(_ key: ObjectIdentifier, _ check: @escaping Check) {
        awake.append(key)
        if awake.count == 1 { arm(check) }
    }

    private func arm(_ check: @escaping Check) {
        timer.arm(in: Self.interval) { [weak self] in self?.fired(check) }
    }

    private func fired(_ check: @escaping Check) {
        awake.removeAll { check($0) }
        // The list takes no more memory than the sessions that were awake a moment ago.
        if awake.isEmpty { awake = [] } else { arm(check) }
    }
}
