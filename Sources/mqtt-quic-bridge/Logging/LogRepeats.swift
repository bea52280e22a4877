import Logging

/// Sums up log lines that repeat: of one message the first few in a window of time are shown, and one line at the end of
/// the window says how many more there were. Pure; the caller brings the time, in milliseconds.
///
/// When a broker goes away, a thousand devices have the same thing to say in the same second. Whoever reads that wants to
/// see it once, and not to look for what else happened.
struct LogRepeats {
    /// How many lines of one message are shown in a window.
    static let shown = 10
    /// In milliseconds.
    static let window: Int64 = 10_000
    /// Messages are constants of the program, so this bound is not reached; beyond it, lines are shown.
    static let maximumMessages = 1_000

    /// The lines of one message that were not shown.
    struct Summary: Equatable {
        var level: Logger.Level
        var message: String
        /// How many lines there were.
        var count: Int
        /// What all of these lines had in common.
        var metadata: Logger.Metadata
    }

    private struct Window {
        var start: Int64
        var lines = 0
        var summary: Summary?
    }

    private struct Key: Hashable {
        var level: Logger.Level
        var message: String
    }

    private var windows: [Key: Window] = [:]

    /// Whether the line is to be shown. If not, it is part of a later ``Summary``.
    mutating func shows(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at now: Int64) -> Bool {
        let key = Key(level: level, message: message)
        guard var window = windows[key], window.summary != nil || !isOver(window, at: now) else {
            if windows[key] != nil || windows.count < Self.maximumMessages {
                windows[key] = Window(start: now, lines: 1)
            }
            return true
        }
        window.lines += 1
        defer { windows[key] = window }
        guard window.lines > Self.shown else { return true }
        guard var summary = window.summary else {
            window.summary = Summary(level: level, message: message, count: 1, metadata: metadata)
            return false
        }
        summary.count += 1
        for (name, value) in summary.metadata where metadata[name] != value { summary.metadata[name] = nil }
        window.summary = summary
        return false
    }

    /// The summaries of windows that have ended, or of all windows if `now` is `nil`. Ended windows are forgotten.
    mutating func takeSummaries(at now: Int64?) -> [Summary] {
        let ended = windows.filter { entry in now.map { isOver(entry.value, at: $0) } ?? true }
        for key in ended.keys { windows[key] = nil }
        return ended.values.sorted { $0.start < $1.start }.compactMap(\.summary)
    }

    /// When the next window ends that has lines to sum up; `nil` if there is none.
    var nextEnd: Int64? { windows.values.filter { $0.summary != nil }.map { $0.start + Self.window }.min() }

    private func isOver(_ window: Window, at now: Int64) -> Bool {
        // A clock that was set back must not keep a window open.
        now >= window.start + Self.window || now < window.start
    }
}
