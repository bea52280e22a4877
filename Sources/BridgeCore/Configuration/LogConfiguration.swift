/// What is logged to standard error, and how.
package struct LogConfiguration: Sendable, Equatable {
    package var level: Level
    package var format: Format

    /// The lowest level that is logged.
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// Whether a log message is a line of text or a JSON object.
    package enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    package init(level: Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}
