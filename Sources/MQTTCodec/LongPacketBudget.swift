import Synchronization

/// Bytes that the long packets of all connections together may take beyond the decoders' `maximumBufferedSize`, over all
/// event loops.
package final class LongPacketBudget: Sendable {
    private let limit: Int
    private let used = Atomic<Int>(0)

    /// - Parameter limit: In bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// The bytes that all long packets take at the moment.
    package var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Takes that many bytes. Returns false if there is no room for them.
    fileprivate func take(_ bytes: Int) -> Bool {
        let (_, now) = used.wrappingAdd(bytes, ordering: .relaxed)
        guard now > limit else { return true }
        giveBack(bytes)
        return false
    }

    fileprivate func giveBack(_ bytes: Int) {
        used.wrappingSubtract(bytes, ordering: .relaxed)
    }
}

/// What one long packet has taken out of the budget. It is given back when the last owner of this object is gone, however
/// the packet ends.
package final class LongPacketShare: Sendable {
    private let budget: LongPacketBudget
    private let taken = Atomic<Int>(0)

    init(_ budget: LongPacketBudget) {
        self.budget = budget
    }

    deinit {
        budget.giveBack(taken.load(ordering: .relaxed))
    }

    /// Takes what is missing to that many bytes. Returns false, and has taken nothing, if there is no room for them.
    func grow(to bytes: Int) -> Bool {
        let missing = bytes - taken.load(ordering: .relaxed)
        guard missing > 0 else { return true }
        guard budget.take(missing) else { return false }
        taken.wrappingAdd(missing, ordering: .relaxed)
        return true
    }
}
