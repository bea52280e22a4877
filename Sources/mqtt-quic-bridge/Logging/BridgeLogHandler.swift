import BridgeCore
import Logging

/// Gives what a logger logs to the process's ``LogOutput``.
struct BridgeLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let output: LogOutput
    /// The level of this logger alone, if it has been given one.
    private var ownLevel: Logger.Level?

    init(_ output: LogOutput) {
        self.output = output
    }

    /// The output's level, which can change at any time, unless this logger has been given one of its own. Warnings are
    /// always passed on, because the output remembers them even if it does not show them.
    var logLevel: Logger.Level {
        get { ownLevel ?? min(Logger.Level(output.level), .warning) }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        output.log(event.level, event.message.description, all)
    }
}

extension BridgeLogHandler {
    /// Makes every logger of the process write to this output. Must be called once, before the first logger is made.
    static func bootstrap(_ output: LogOutput) {
        LoggingSystem.bootstrap { _ in BridgeLogHandler(output) }
    }
}

extension Logger.Level {
    init(_ level: LogConfiguration.Level) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
    }
}
