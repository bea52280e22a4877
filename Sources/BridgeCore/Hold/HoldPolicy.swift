/// How a session outlives its uplink leg, and out of which budget.
package struct HoldPolicy: Sendable {
    package var configuration: HoldConfiguration
    /// Of all sessions together.
    package var budget: HoldBudget

    package init(_ configuration: HoldConfiguration, budget: HoldBudget) {
        self.configuration = configuration
        self.budget = budget
    }
}
