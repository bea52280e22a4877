import BridgeCore
import Synchronization

/// The mapping that the broker has chosen if the configuration says `auto`. All event loops share it, so that it is
/// logged once and not once per loop. It is used when a loop finds a change, never once per device.
final class ChosenMapping: Sendable {
    /// `nil` before the first connection.
    private let last = Mutex<UplinkConfiguration.Mapping?>(nil)

    /// `nil` before the first connection.
    var known: UplinkConfiguration.Mapping? { last.withLock { $0 } }

    /// Notes the mapping, and returns whether it differs from the last one.
    func changes(to mapping: UplinkConfiguration.Mapping) -> Bool {
        last.withLock { known in
            defer { known = mapping }
            return known != mapping
        }
    }
}
