import BridgeCore
import Logging

/// Gives what a logger logs to the process's ``LogOutput``.
struct BridgeLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private let output: LogOutput
    var logLevel: Logger.Level

    init(_ output: LogOutput) {
        self.output = output
        self.logLevel = output.level
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
