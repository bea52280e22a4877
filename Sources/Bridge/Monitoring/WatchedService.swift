import BridgeCore
import ServiceLifecycle

/// ``BridgeService`` or ``ServeService``: what a command runs.
package protocol WatchedService: Service {
    /// What the admin endpoint sees and does of it, before it runs, too.
    var monitor: any MonitoredService { get }
    /// The addresses on which it listens now; empty before it does and after it has ended.
    var listening: [String] { get }
}

extension WatchedService {
    /// Waits until the service listens, and returns the addresses; `nil` if the task is cancelled first. A start takes
    /// some milliseconds, so this looks often, and only then.
    package func untilListening() async -> [String]? {
        while !Task.isCancelled {
            let addresses = listening
            if !addresses.isEmpty { return addresses }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }
}

extension BridgeService: WatchedService {}
extension ServeService: WatchedService {}
