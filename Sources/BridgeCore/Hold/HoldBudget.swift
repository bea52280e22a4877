import Synchronization

/// Bytes that all held sessions together may keep, over all event loops.
///
/// What a session has already read is never thrown away for lack of room: it is charged, and the session reads nothing
/// more. So the limit can be exceeded by one packet per session, or by what the decoder hands out of a longer packet.
package final class HoldBudget: Sendable {
    private let most: Atomic<Int>
    private let used = Atomic<Int>(0)

    package init(limit: Int) {
        self.most = Atomic(limit)
    }

    /// How many bytes may be taken. If it is lowered below what is taken already, nothing is thrown away.
    package var limit: Int {
        get { most.load(ordering: .relaxed) }
        set { most.store(newValue, ordering: .relaxed) }
    }

    /// Takes that many bytes. Returns false if there is no room for them.
    package func take(_ bytes: Int) -> Bool {
        let (_, now) = used.wrappingAdd(bytes, ordering: .relaxed)
        guard now > limit else { return true }
        used.wrappingSubtract(bytes, ordering: .relaxed)
        return false
    }

    /// Takes that many bytes whether there is room or not.
    package func charge(_ bytes: Int) {
        used.wrappingAdd(bytes, ordering: .relaxed)
    }

    /// Returns bytes that were taken or charged.
    package func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
    }

    /// Whether all bytes of the budget are taken.
    package var isFull: Bool { usedBytes >= limit }

    /// Whether that many more bytes may be taken now.
    package func hasRoom(for bytes: Int) -> Bool { usedBytes + bytes <= limit }

    /// The bytes that all sessions have taken or charged.
    package var usedBytes: Int { used.load(ordering: .relaxed) }
}
