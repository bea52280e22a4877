import BridgeCore
import NIOCore
import QUICTransport

/// One timer that looks which sessions of an event loop are busy, and lets the others rest. It runs only while something
/// comes to any of them.
final class RestClock {
    /// Returns whether the session is at rest now, because little has come since the previous call.
    typealias Check = (_ key: DeviceID) -> Bool

    private static let interval = TimeAmount.seconds(5)

    private var awake: Set<DeviceID> = []
    private let timer: Timer

    init(eventLoop: any EventLoop) {
        self.timer = Timer(on: eventLoop)
    }

    /// Calls `check` from time to time until it returns true.
    func watch(_ key: DeviceID, _ check: @escaping Check) {
        awake.insert(key)
        if !timer.isArmed { arm(check) }
    }

    /// The session has ended.
    func forget(_ key: DeviceID) {
        awake.remove(key)
    }

    private func arm(_ check: @escaping Check) {
        timer.arm(in: Self.interval) { [weak self] in self?.fired(check) }
    }

    private func fired(_ check: @escaping Check) {
        awake = awake.filter { !check($0) }
        // The list takes no more memory than the sessions that were awake a moment ago.
        if awake.isEmpty { awake = [] } else { arm(check) }
    }
}
