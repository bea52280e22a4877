import Synchronization

/// Bytes that all held sessions together may keep, over all event loops.
///
/// What a session has already read is never thrown away for lack of room: it is charged, and the session reads nothing
/// more. So the limit can be exceeded by one packet per session, or by what the decoder hands out of a longer packet.
package final class HoldBudget: Sendable {
    private let most: Atomic<Int>
    private let used = Atomic<Int>(0)
    /// What is called as soon as there is room.
    private let waiting = Mutex<[@Sendable () -> Void]>([])
    /// Whether ``waiting`` is not empty.
    private let isAwaited = Atomic(false)

    package init(limit: Int) {
        self.most = Atomic(limit)
    }

    /// How many bytes may be taken. If it is lowered below what is taken already, nothing is thrown away.
    package var limit: Int {
        get { most.load(ordering: .sequentiallyConsistent) }
        set {
            most.store(newValue, ordering: .sequentiallyConsistent)
            tellWaiting()
        }
    }

    /// Takes that many bytes whether there is room or not.
    package func charge(_ bytes: Int) {
        used.wrappingAdd(bytes, ordering: .relaxed)
    }

    /// Returns bytes that were taken or charged.
    package func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .sequentiallyConsistent)
        tellWaiting()
    }

    /// Calls `call` once as soon as there is room: now, or when bytes are given back or the limit is raised, on whatever
    /// thread that happens. It should not do more than say so elsewhere.
    package func whenRoom(_ call: @escaping @Sendable () -> Void) {
        waiting.withLock {
            $0.append(call)
            isAwaited.store(true, ordering: .sequentiallyConsistent)
        }
        tellWaiting()
    }

    // One thread changes `used` and then reads `isAwaited`, another does the reverse. All of that is sequentially
    // consistent, so that at least one of them sees what the other did.
    private func tellWaiting() {
        guard isAwaited.load(ordering: .sequentiallyConsistent), !isFull else { return }
        let calls = waiting.withLock { waiting in
            isAwaited.store(false, ordering: .sequentiallyConsistent)
            defer { waiting = [] }
            return waiting
        }
        for call in calls { call() }
    }

    /// Whether all bytes of the budget are taken.
    package var isFull: Bool { usedBytes >= limit }

    /// Whether that many more bytes may be taken now.
    package func hasRoom(for bytes: Int) -> Bool { usedBytes + bytes <= limit }

    /// The bytes that all sessions have taken or charged.
    package var usedBytes: Int { used.load(ordering: .sequentiallyConsistent) }
}
