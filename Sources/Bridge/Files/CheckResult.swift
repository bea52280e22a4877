/// What the operator should know about a configuration that the program can start with.
package struct CheckResult: Sendable, Equatable {
    /// What works but should be changed.
    package var warnings: [String]
    /// What is usually right, but worth a look if something does not work.
    package var notes: [String]

    package init(warnings: [String], notes: [String]) {
        self.warnings = warnings
        self.notes = notes
    }
}
