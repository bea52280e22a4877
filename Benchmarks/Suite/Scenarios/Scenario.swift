/// A group of conditions that answer one question. `Scenario.table` lists all of them.
package struct Scenario: Sendable {
    /// How the paths take turns.
    package enum Order: Sendable {
        /// A B A B: what else happens on the machine affects all paths alike.
        case interleaved(rounds: Int)
        /// One after the other, each with programs that have carried nothing yet, because memory counts from there.
        case fresh
        /// All at the same time over the same link. This is for figures that do not depend on a quiet machine.
        case together
    }

    package let name: String
    /// What the scenario answers, in a few words.
    package let summary: String
    package let paths: [Path]
    package let order: Order
    /// The rows of its tables.
    package let figures: [Figure]
    package let conditions: [Condition]
    /// Whether the programs are run with a broker that keeps its sessions on disk.
    package var persistentBroker = false
    /// A load that each path carries before it is measured, such as for the first session tickets.
    package var rehearsal: Condition.Load?

    package func conditions(in run: Condition.Run) -> [Condition] {
        conditions.filter { $0.runs.contains(run) }
    }
}
