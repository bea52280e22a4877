/// How a session outlives its uplink leg, and out of which budget.
package final class HoldPolicy: Sendable {
    package let configuration: HoldConfiguration
    /// Of all sessions together.
    package let budget: HoldBudget

    package init(_ configuration: HoldConfiguration, budget: HoldBudget) {
        self.configuration = configuration
        self.budget = budget
    }
}
