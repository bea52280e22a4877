/// Why a link does not come about, or a command has no effect.
package enum LinkError: Error, Equatable, CustomStringConvertible {
    /// This machine, or this user, cannot have a link. The text says what is missing.
    case notPossible(String)
    /// A command is none, or its value is wrong. The text says what would be right.
    case command(String)
    /// Something failed that should not have.
    case failed(String)

    package var description: String {
        switch self {
        case .notPossible(let reason), .command(let reason), .failed(let reason): reason
        }
    }
}
