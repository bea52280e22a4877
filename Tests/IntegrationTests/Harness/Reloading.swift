import Foundation

/// A running program whose configuration file a test may change.
protocol Reloading: Sendable {
    var process: ChildProcess { get }
    var file: String { get }
}

extension Bridge: Reloading {}
extension Serve: Reloading {}

extension Reloading {
    /// Changes the configuration file, sends SIGHUP, and returns the line that says what came of it.
    @discardableResult
    func reload(_ change: (String) -> String = { $0 }) async throws -> String {
        try rewrite(change)
        return try await reloadAsItIs()
    }

    /// Sends SIGHUP without changing the configuration file.
    func reloadAsItIs() async throws -> String {
        let count = await process.errors.count
        process.signal(SIGHUP)
        return try await process.errors.first("the end of the reload", from: count) {
            $0.contains("the configuration was reloaded") || $0.contains("the configuration was not reloaded")
        }
    }

    /// Puts another configuration file in the place of the present one, at once.
    func rewrite(_ change: (String) -> String) throws {
        let text = change(try String(contentsOfFile: file, encoding: .utf8))
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
    }

    /// The lines of the log that name a changed key.
    func says(key: String, _ words: String, from start: Int = 0) async throws -> String {
        try await process.errors.first("\(key) in the log", from: start) {
            "\($0) ".contains("key=\(key) ") && $0.contains(words)
        }
    }
}
