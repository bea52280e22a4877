import BridgeCore
import Logging

/// Writes log lines as text or JSON, one write per line.
struct BridgeLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let format: LogConfiguration.Format
    private let write: @Sendable (String) -> Void

    init(
        level: LogConfiguration.Level, format: LogConfiguration.Format,
        write: @escaping @Sendable (String) -> Void = StandardError.write
    ) {
        logLevel = Logger.Level(level)
        self.format = format
        self.write = write
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
        write(
            LogLine.render(
                format, time: .now(), level: event.level, message: event.message.description, metadata: all))
    }
}

extension BridgeLogHandler {
    /// Makes every logger of the process use this handler. Must be called once, before the first logger is made.
    static func bootstrap(_ configuration: LogConfiguration) {
        LoggingSystem.bootstrap { _ in
            BridgeLogHandler(level: configuration.level, format: configuration.format)
        }
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
