import Synchronization

/// Bytes that all held sessions may keep together, over all event loops.
///
/// What a session has already read is never thrown away for want of room: it is charged, and the session reads nothing
/// more. So the limit can be exceeded by one packet a session, or what the decoder hands out of one that is longer.
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

    /// Takes them whether there is room or not.
    package func charge(_ bytes: Int) {
        used.wrappingAdd(bytes, ordering: .relaxed)
    }

    package func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
    }

    package var isFull: Bool { usedBytes >= limit }

    package func hasRoom(for bytes: Int) -> Bool { usedBytes + bytes <= limit }

    package var usedBytes: Int { used.load(ordering: .relaxed) }
}
