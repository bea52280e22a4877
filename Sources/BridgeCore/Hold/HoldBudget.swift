import Synchronization

/// Bytes that all held sessions may keep together, over all event loops.
package final class HoldBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    package init(limit: Int) {
        self.limit = limit
    }

    /// False where there is no room for so many.
    package func take(_ bytes: Int) -> Bool {
        let (_, now) = used.wrappingAdd(bytes, ordering: .relaxed)
        guard now > limit else { return true }
        used.wrappingSubtract(bytes, ordering: .relaxed)
        return false
    }

    package func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
    }

    package var usedBytes: Int { used.load(ordering: .relaxed) }
}
