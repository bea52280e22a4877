import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Takes MQTT over QUIC in front of a broker that speaks TCP only, until SIGTERM or Ctrl-C.",
        discussion: """
            The other end of `run`, and of every client of MQTT over QUIC: each QUIC stream becomes one TCP connection to \
            the broker. Reads the sections `serve` and `log` of the configuration.

            On a host with several addresses in one network, name each of them in serve.listen: replies to what comes to \
            a wildcard leave from the address that the system chooses.

            SIGHUP reads certificate, key and client CA again, which happens by itself when they change, and the ticket \
            key file. That file holds what lets clients return after a restart; it is made where it is missing, and made \
            anew when it is older than 30 days at the start or at SIGHUP. To change the key at once, delete the file and \
            send SIGHUP. SIGUSR1 writes a line of statistics to the log.

            The first SIGTERM or Ctrl-C ends all sessions in order within serve.shutdown_timeout; a second one ends the \
            program at once. Exits with 78 where the configuration is not usable, with 1 where an address of \
            serve.listen is not to be had.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var log: LogOptions

    func run() async throws {
        let loaded = try options.loadServe()
        let fileLimit = FileDescriptors.raiseFully(
            for: loaded.configuration.limits.connections, name: "serve.connections")
        let logger = log.start(
            loaded.configuration.log, notes: loaded.notes,
            warnings: loaded.warnings + [fileLimit].compactMap { $0 })
        try await Supervisor.run(try await service(loaded, logger), logger)
    }

    private func service(_ loaded: LoadedServeConfiguration, _ logger: Logger) async throws -> ServeService {
        let signals = await Supervisor.signals()
        do {
            return try ServeService(configuration: loaded.configuration, signals: signals, logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(loaded.place(error))"])
            throw ExitCode.configuration
        }
    }
}
