/// What is wrong with a password file. It never contains a password or a hash.
package struct PasswordFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The number of the line, from 1; `nil` if the error is about the file as a whole.
    package var line: Int?
    /// One line that says what is wrong and what would be right.
    package var message: String

    package init(line: Int?, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}
