/// What the operator should know of a configuration that can be started with.
package struct CheckResult: Sendable, Equatable {
    /// Works, and is not right.
    package var warnings: [String]
    /// Is right more often than not, and worth a look where something does not work.
    package var notes: [String]
}
