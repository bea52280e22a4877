import BridgeCore
import Synchronization

/// The mapping that the broker has chosen where the configuration says `auto`, as the event loops find out: the log says
/// it once, rather than once per loop. It is asked when a loop finds a change, never for a device.
final class ChosenMapping: Sendable {
    /// `nil` before the first connection.
    private let known = Mutex<UplinkConfiguration.Mapping?>(nil)

    /// Whether this is news.
    func changes(to mapping: UplinkConfiguration.Mapping) -> Bool {
        known.withLock { known in
            defer { known = mapping }
            return known != mapping
        }
    }
}
