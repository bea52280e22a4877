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
            program at once. SIGHUP reads the configuration again and applies what has changed, without disconnecting \
            devices that it does not concern; the log names what needs a restart. SIGUSR1 drains: no new devices are taken, \
            and the bridge ends when the last has left, or after limits.drain_timeout. SIGUSR2 writes a line of statistics \
            to the log. Exit codes: 78 if the configuration is not usable; 1 if an address of `listen` \
            is not available.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var log: LogOptions

    func run() async throws {
        let source = ConfigurationSource(.run, options, log) {
            FileDescriptors.raise(for: $0.limits.devices, threads: $0.threads)
        }
        try await Supervisor.run(source) { (configuration, signals, logger) throws -> BridgeService in
            let sockets = try PassedSockets(try ServiceManager.passedDescriptors(), for: configuration.listen)
            return try BridgeService(
                configuration: configuration, signals: signals, sockets: sockets,
                bundles: BundleFolderCatalog.opener, logger: logger)
        }
    }
}
