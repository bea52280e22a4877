import Synchronization

/// What one session has taken out of the budget. It is given back when the last owner of this object is gone, however
/// the session ends.
final class HoldShare: Sendable {
    let budget: HoldBudget
    private let taken = Atomic<Int>(0)

    init(_ budget: HoldBudget) {
        self.budget = budget
    }

    deinit {
        budget.giveBack(bytes)
    }

    var bytes: Int { taken.load(ordering: .relaxed) }

    func charge(_ bytes: Int) {
        budget.charge(bytes)
        taken.wrappingAdd(bytes, ordering: .relaxed)
    }

    func giveBack(_ bytes: Int) {
        budget.giveBack(bytes)
        taken.wrappingSubtract(bytes, ordering: .relaxed)
    }
}
