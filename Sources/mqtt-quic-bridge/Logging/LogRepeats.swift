import Logging

/// Sums up log lines that repeat: of the lines with the same message and the same reason the first few in a window of time
/// are shown, and one line at the end of the window says how many more there were. Pure; the caller brings the time, in
/// milliseconds.
///
/// When a broker goes away, a thousand devices have the same thing to say in the same second. Whoever reads that wants to
/// see it once, and not to look for what else happened.
struct LogRepeats {
    /// How many lines of one message are shown in a window.
    static let shown = 10
    /// In milliseconds.
    static let window: Int64 = 10_000
    /// The most windows in which lines are told apart by their reasons, which may be texts of a device or of the broker.
    /// Beyond that, lines share one window per message; messages are constants of the program.
    static let maximumWindows = 200
    /// How much of a reason is looked at, in characters.
    static let reasonLength = 200
    /// The fields that say what a line is about, beside its message.
    private static let reasons = ["reason", "error", "detail"]

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
        /// `nil` for lines whose reasons are not looked at.
        var reason: String?
    }

    private var windows: [Key: Window] = [:]

    /// Whether the line is to be shown. If not, it is part of a later ``Summary``.
    mutating func shows(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at now: Int64) -> Bool {
        let key = key(level, message, metadata, at: now)
        guard var window = windows[key], window.summary != nil || !isOver(window, at: now) else {
            windows[key] = Window(start: now, lines: 1)
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

    private mutating func key(
        _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at now: Int64
    ) -> Key {
        let reason = Self.reasons.lazy.compactMap { metadata[$0] }.first.map { "\($0)".prefix(Self.reasonLength) } ?? ""
        var key = Key(level: level, message: message, reason: String(reason))
        guard windows[key] == nil, windows.count >= Self.maximumWindows else { return key }
        windows = windows.filter { $0.value.summary != nil || !isOver($0.value, at: now) }
        if windows.count >= Self.maximumWindows { key.reason = nil }
        return key
    }

    private func isOver(_ window: Window, at now: Int64) -> Bool {
        // A clock that was set back must not keep a window open.
        now >= window.start + Self.window || now < window.start
    }
}
