import BridgeCore
import ServiceLifecycle

/// ``BridgeService`` or ``ServeService``: what a command runs.
package protocol WatchedService: Service {
    /// What the admin endpoint sees and does of it, before it runs, too.
    var monitor: any MonitoredService { get }
}

extension BridgeService: WatchedService {}
extension ServeService: WatchedService {}
