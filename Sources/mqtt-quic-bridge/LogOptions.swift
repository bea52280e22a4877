import ArgumentParser
import BridgeConfig
import BridgeCore
import Logging

/// The options that say how much `run` and `serve` log.
struct LogOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Instead of log.level: \(LogConfiguration.Level.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "level"))
    var logLevel: LogConfiguration.Level?

    /// Starts the log, and logs the loader's notes and warnings.
    /// - Parameter fileLimit: A warning about the limit on open files, if there is one.
    /// - Returns: a logger, and its output, which has to be flushed before the program ends.
    static func start<Configuration: Reloadable>(
        _ loaded: Loaded<Configuration>, _ fileLimit: String?
    ) -> (logger: Logger, output: LogOutput) {
        let output = LogOutput(loaded.configuration.log)
        BridgeLogHandler.bootstrap(output)
        let logger = Logger(label: "mqtt-quic-bridge")
        for note in loaded.notes { logger.notice("configuration", metadata: ["detail": .string(note)]) }
        for warning in loaded.warnings + [fileLimit].compactMap({ $0 }) {
            logger.warning("configuration", metadata: ["detail": .string(warning)])
        }
        return (logger, output)
    }
}

extension LogConfiguration.Level: ExpressibleByArgument {}
