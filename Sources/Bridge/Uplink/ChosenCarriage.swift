import Synchronization

/// How the broker has devices carried with the mapping `auto`, as the event loops found out: so that the log says it
/// once, and not once a loop. Asked when a loop finds a change, never for a device.
final class ChosenCarriage: Sendable {
    /// Nil before the first connection.
    private let isShared = Mutex<Bool?>(nil)

    /// Whether this is news.
    func changes(toShared shared: Bool) -> Bool {
        isShared.withLock { known in
            defer { known = shared }
            return known != shared
        }
    }
}
