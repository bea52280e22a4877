/// How a session outlives its uplink leg, and from which budget.
package final class HoldPolicy: Sendable {
    package let configuration: HoldConfiguration
    /// Shared by all sessions.
    package let budget: HoldBudget

    package init(_ configuration: HoldConfiguration, budget: HoldBudget) {
        self.configuration = configuration
        self.budget = budget
    }
}
