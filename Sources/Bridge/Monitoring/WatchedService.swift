import BridgeCore
import ServiceLifecycle

/// ``BridgeService`` or ``ServeService``: what a command runs.
package protocol WatchedService: Service {
    associatedtype Configuration: Reloadable & AdminConfigured
    /// What is in force now.
    var configuration: Configuration { get }
    /// What the admin endpoint sees and does of it, before it runs, too.
    var monitor: any MonitoredService { get }
    /// The addresses on which it listens now; empty before it does and after it has ended.
    var listening: [String] { get }

    /// Compares the configuration with the one in force and applies what has changed, as far as that needs no restart.
    /// Devices that it does not concern notice nothing. Call this once at a time.
    ///
    /// - Parameters:
    ///   - isDryRun: Whether the report is all that is wanted.
    ///   - isAllOrNothing: Whether nothing is changed if something needs a restart.
    /// - Throws: What makes the configuration unusable, such as ``UnusableFile``. Then nothing has changed.
    func reload(_ new: Configuration, isDryRun: Bool, isAllOrNothing: Bool) async throws -> ReloadReport
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
