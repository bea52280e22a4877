import ArgumentParser
import BridgeCore
import Logging

/// How much a program that runs says.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Instead of log.level: \(LogConfiguration.Level.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "level"))
    var logLevel: LogConfiguration.Level?

    /// Starts the log, with what is to be said of the configuration.
    func start(_ configuration: LogConfiguration, notes: [String], warnings: [String]) -> Logger {
        var configuration = configuration
        if let logLevel { configuration.level = logLevel }
        BridgeLogHandler.bootstrap(configuration)
        let logger = Logger(label: "mqtt-quic-bridge")
        for note in notes { logger.notice("configuration", metadata: ["detail": .string(note)]) }
        for warning in warnings { logger.warning("configuration", metadata: ["detail": .string(warning)]) }
        return logger
    }
}

extension LogConfiguration.Level: ExpressibleByArgument {}
