/// What is wrong with a password file. Never holds a password or a hash.
package struct PasswordFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1; `nil` where it is about the file as a whole.
    package var line: Int?
    /// What is wrong and what would be right, in one line.
    package var message: String

    package init(line: Int?, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}
