import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Logging

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the bridge until SIGTERM or Ctrl-C.",
        discussion: """
            The first SIGTERM or Ctrl-C ends all sessions in order within limits.shutdown_timeout; a second one ends the \
            program at once. SIGHUP reads auth.users_file again, which happens by itself when it changes. Exits with 78 where the configuration is not usable, with 1 where an address of `listen` is \
            not to be had.
            """)

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
        let fileLimit = FileDescriptors.raise(for: loaded.configuration.limits.devices)
        for warning in loaded.warnings + [fileLimit].compactMap({ $0 }) {
            logger.warning("configuration", metadata: ["detail": .string(warning)])
        }
        try await Supervisor.run(try await service(loaded.configuration, logger), logger)
    }

    private func service(_ configuration: BridgeConfiguration, _ logger: Logger) async throws -> BridgeService {
        let reloads = await Supervisor.hangups()
        do {
            return try BridgeService(configuration: configuration, reloads: reloads, logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(error)"])
            throw ExitCode.configuration
        }
    }
}

extension LogConfiguration.Level: ExpressibleByArgument {}
