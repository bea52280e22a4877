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
            program at once. SIGHUP reads auth.users_file again, which also happens when the file changes; SIGUSR1 \
            drains: no new devices are taken, and the bridge ends when the last has left, or after limits.drain_timeout. \
            SIGUSR2 writes a line of statistics to the log. Exit codes: 78 if the configuration is not usable; 1 if an address of `listen` \
            is not available.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var log: LogOptions

    func run() async throws {
        let loaded = try options.load(.run)
        let fileLimit = FileDescriptors.raise(for: loaded.configuration.limits.devices)
        let (logger, output) = log.start(loaded.configuration.log, loaded, fileLimit)
        try await Supervisor.run(loaded, logger, output) {
            let sockets = try PassedSockets(
                try ServiceManager.passedDescriptors(), for: loaded.configuration.listen)
            return try BridgeService(
                configuration: loaded.configuration, signals: $0, sockets: sockets, logger: logger)
        }
    }
}
