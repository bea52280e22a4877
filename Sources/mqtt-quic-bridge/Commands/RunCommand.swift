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
            program at once. SIGHUP reads auth.users_file again, which happens by itself when it changes; SIGUSR1 writes a \
            line of statistics to the log. Exits with 78 where the configuration is not usable, with 1 where an address \
            of `listen` is not to be had.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var log: LogOptions

    func run() async throws {
        let loaded = try options.load()
        let fileLimit = FileDescriptors.raise(for: loaded.configuration.limits.devices)
        let logger = log.start(
            loaded.configuration.log, notes: loaded.notes,
            warnings: loaded.warnings + [fileLimit].compactMap { $0 })
        try await Supervisor.run(try await service(loaded, logger), logger)
    }

    private func service(_ loaded: LoadedConfiguration, _ logger: Logger) async throws -> BridgeService {
        let signals = await Supervisor.signals()
        do {
            return try BridgeService(configuration: loaded.configuration, signals: signals, logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(loaded.place(error))"])
            throw ExitCode.configuration
        }
    }
}
