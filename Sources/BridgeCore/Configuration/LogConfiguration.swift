/// What is logged to standard error, and how.
package struct LogConfiguration: Sendable, Equatable {
    package var level: Level
    package var format: Format
    package var repeats: Repeats

    /// The lowest level that is logged.
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// Whether a log message is a line of text or a JSON object.
    package enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// What happens to messages that are logged again and again.
    package enum Repeats: String, Sendable, CaseIterable {
        /// The first lines with the same message and reason in a window of time are shown, and then how many more there
        /// were.
        case sum
        /// Every line is shown.
        case all
    }

    package init(level: Level = .info, format: Format = .text, repeats: Repeats = .sum) {
        self.level = level
        self.format = format
        self.repeats = repeats
    }
}
