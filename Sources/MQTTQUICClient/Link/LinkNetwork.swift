import Logging
import NIOCore
import QUICTransport
import Synchronization

/// Tells the clients of this process that addresses, routes or interfaces of this machine have changed. The kernel is
/// listened to while anybody wants to know, by one thread for all.
final class LinkNetwork: Sendable {
    static let shared = LinkNetwork()

    private struct State {
        var watch: NetworkWatch?
        var listeners: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Calls `changed` on a thread of its own until the number that this returns is given to ``remove(_:)``.
    func add(_ changed: @escaping @Sendable () -> Void) -> Int {
        state.withLock { state in
            state.next += 1
            state.listeners[state.next] = changed
            if state.watch == nil {
                // Without notifications, timeouts reveal that the network has changed, which is nothing to log.
                let silent = Logger(label: "network") { _ in SwiftLogNoOpLogHandler() }
                state.watch = NetworkWatch(logger: silent) { [weak self] _ in self?.tell() }
            }
            return state.next
        }
    }

    func remove(_ number: Int) {
        let watch = state.withLock { state -> NetworkWatch? in
            state.listeners[number] = nil
            guard state.listeners.isEmpty else { return nil }
            defer { state.watch = nil }
            return state.watch
        }
        guard let watch else { return }
        // Its thread ends by itself; nobody has to wait for that.
        Task { await watch.stop() }
    }

    private func tell() {
        let listeners = state.withLock { Array($0.listeners.values) }
        for listener in listeners { listener() }
    }
}
