/// The file descriptors that a service manager has opened for the program: systemd's `LISTEN_PID`, `LISTEN_FDS` and
/// `LISTEN_FDNAMES` (sd_listen_fds(3)).
package struct PassedDescriptor: Sendable, Equatable, CustomStringConvertible {
    /// The file descriptor itself.
    package var number: Int32
    /// The name of the descriptor; `nil` if it has none.
    package var name: String?

    package init(number: Int32, name: String? = nil) {
        self.number = number
        self.name = name
    }

    package var description: String { "\(number)\(name.map { " (\($0.quotedForMessage()))" } ?? "")" }

    /// The number of the first one; those before it are standard input, output and error.
    private static let first: Int32 = 3
    private static let maximumCount = 1_000

    /// The descriptors meant for this process, in their order; none if the variables are missing, or are those of another
    /// process, which has handed its environment down.
    package static func all(
        in environment: [String: String], processID: Int32
    ) throws(SupervisionError) -> [PassedDescriptor] {
        guard let countText = environment["LISTEN_FDS"], let owner = environment["LISTEN_PID"] else { return [] }
        guard Int32(owner) != nil else { throw SupervisionError("LISTEN_PID", owner, "is no process id") }
        guard Int32(owner) == processID else { return [] }
        guard let count = Int(countText), (0...maximumCount).contains(count) else {
            throw SupervisionError("LISTEN_FDS", countText, "is no number from 0 to \(maximumCount)")
        }
        let names = try names(environment["LISTEN_FDNAMES"], count)
        return (0..<count).map { PassedDescriptor(number: first + Int32($0), name: names?[$0]) }
    }

    private static func names(_ text: String?, _ count: Int) throws(SupervisionError) -> [String]? {
        guard let text, !(text.isEmpty && count == 0) else { return nil }
        let names = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard names.count == count else {
            throw SupervisionError("LISTEN_FDNAMES", text, "has \(names.count) names for \(count) descriptors")
        }
        return names
    }
}
