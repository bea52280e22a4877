/// How a session outlives its uplink leg, and from which budget.
package final class HoldPolicy: Sendable {
    /// For how long a session is held, and what is kept for it.
    package let configuration: HoldConfiguration
    /// The memory that all held sessions may use together.
    package let budget: HoldBudget

    package init(_ configuration: HoldConfiguration, budget: HoldBudget) {
        self.configuration = configuration
        self.budget = budget
    }
}
