/// The command line of a tool, or a file that it names, is wrong. The program ends with ``ToolExit/usage`` then.
struct UsageError: Error, Equatable, CustomStringConvertible {
    /// Full sentences: what is wrong, where, and what would be right.
    var description: String

    init(_ description: String) { self.description = description }
}
