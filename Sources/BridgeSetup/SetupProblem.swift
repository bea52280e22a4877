/// Why a configuration could not be made: what is wrong, where, and what would be right.
package struct SetupProblem: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}
