import ArgumentParser
import BridgeConfig
import BridgeCore
import Logging

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the bridge until SIGTERM or Ctrl-C.")

    @OptionGroup var options: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "Instead of log.level: \(LogConfiguration.Level.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "level"))
    var logLevel: LogConfiguration.Level?

    func run() async throws {
        var loaded = try options.load()
        if let logLevel { loaded.configuration.log.level = logLevel }
        BridgeLogHandler.bootstrap(loaded.configuration.log)
        let logger = Logger(label: "mqtt-quic-bridge")
        for warning in loaded.warnings {
            logger.warning("configuration", metadata: ["detail": .string(warning)])
        }
        logger.critical("this build has no runtime")
        throw ExitCode(70)
    }
}

extension LogConfiguration.Level: ExpressibleByArgument {}
