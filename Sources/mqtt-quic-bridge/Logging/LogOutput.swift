import BridgeCore
import Logging
import Synchronization

/// Where all loggers of the process write: renders lines, sums up repeats, and remembers what went wrong lately.
final class LogOutput: Sendable {
    private struct State {
        var repeats = LogRepeats()
        var troubles = RecentTroubles()
        /// Whether a task is waiting for the end of a window.
        var isWaiting = false
    }

    private let levelIndex: Atomic<Int>
    private let isJSON: Atomic<Bool>
    private let sumsUpRepeats: Atomic<Bool>
    private let write: @Sendable (String) -> Void
    private let writer: LogWriter?
    private let state = Mutex(State())

    /// Writes to a log that loses lines rather than wait.
    convenience init(_ configuration: LogConfiguration, to writer: LogWriter = .standardError) {
        self.init(configuration, writer) { writer.write($0) }
    }

    convenience init(_ configuration: LogConfiguration, write: @escaping @Sendable (String) -> Void) {
        self.init(configuration, nil, write)
    }

    private init(_ configuration: LogConfiguration, _ writer: LogWriter?, _ write: @escaping @Sendable (String) -> Void)
    {
        self.levelIndex = Atomic(Self.index(configuration.level))
        self.isJSON = Atomic(configuration.format == .json)
        self.sumsUpRepeats = Atomic(configuration.repeats == .sum)
        self.writer = writer
        self.write = write
    }

    /// The lowest level that is logged, by every logger that has no level of its own.
    var level: LogConfiguration.Level {
        get { LogConfiguration.Level.allCases[levelIndex.load(ordering: .relaxed)] }
        set { levelIndex.store(Self.index(newValue), ordering: .relaxed) }
    }

    /// Logs in another way from now on. The level stays if the configuration's has not changed, because somebody may have
    /// changed it since.
    func adopt(_ new: LogConfiguration, after old: LogConfiguration) {
        if new.level != old.level { level = new.level }
        isJSON.store(new.format == .json, ordering: .relaxed)
        sumsUpRepeats.store(new.repeats == .sum, ordering: .relaxed)
        if new.repeats != .sum { sumUpNow() }
    }

    var format: LogConfiguration.Format { isJSON.load(ordering: .relaxed) ? .json : .text }

    /// What went wrong lately, the newest first, whether it was shown or not.
    var troubles: [Trouble] { state.withLock { $0.troubles.all } }

    func log(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        let now = Timestamp.now()
        var mustWait = false
        let isShown = state.withLock { state in
            if level >= .warning { state.troubles.note(level, message, metadata, at: Double(now.milliseconds) / 1_000) }
            guard level >= Logger.Level(self.level) else { return false }
            // Whoever asks for details wants all of them, and what ends the program is never left out.
            guard sumsUpRepeats.load(ordering: .relaxed), level >= .info, level < .critical else { return true }
            let isShown = state.repeats.shows(level, message, metadata, at: now.milliseconds)
            mustWait = !isShown && !state.isWaiting
            state.isWaiting = state.isWaiting || mustWait
            return isShown
        }
        if mustWait { Task { await sumUp() } }
        if isShown { show(level, message, metadata, at: now) }
    }

    /// Writes what has been held back. Call this before the program ends.
    func flush() {
        sumUpNow()
        writer?.finish()
        sayWhatIsLost()
    }

    private func sumUpNow() {
        show(state.withLock { $0.repeats.takeSummaries(at: nil) })
    }

    /// Writes summaries at the ends of windows, until there is nothing more to sum up.
    private func sumUp() async {
        while let end = state.withLock({ state in
            state.isWaiting = state.repeats.nextEnd != nil
            return state.repeats.nextEnd
        }) {
            let rest = end - Timestamp.now().milliseconds
            try? await Task.sleep(for: .milliseconds(min(max(rest, 1), LogRepeats.window)))
            show(state.withLock { $0.repeats.takeSummaries(at: Timestamp.now().milliseconds) })
        }
    }

    private func show(_ summaries: [LogRepeats.Summary]) {
        for summary in summaries {
            var (message, metadata) = (summary.message, summary.metadata)
            switch format {
            case .text: message += ", and \(summary.count) more"
            case .json: metadata["more"] = .stringConvertible(summary.count)
            }
            show(summary.level, message, metadata, at: .now())
        }
    }

    private func show(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at time: Timestamp) {
        sayWhatIsLost()
        write(LogLine.render(format, time: time, level: level, message: message, metadata: metadata))
    }

    private func sayWhatIsLost() {
        guard let lost = writer?.takeLost(), lost > 0 else { return }
        let message = "lines of the log are lost: nobody read them in time"
        write(LogLine.render(format, time: .now(), level: .warning, message: message, metadata: ["lines": "\(lost)"]))
    }

    private static func index(_ level: LogConfiguration.Level) -> Int {
        LogConfiguration.Level.allCases.firstIndex(of: level) ?? 0
    }
}
