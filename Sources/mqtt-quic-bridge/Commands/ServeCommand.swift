import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Accepts MQTT over QUIC in front of a broker that speaks only TCP, until SIGTERM or Ctrl-C.",
        discussion: """
            The other end of `run`, and of any client of MQTT over QUIC: each QUIC stream becomes one TCP connection to \
            the broker. Reads the sections `serve` and `log` of the configuration, and `threads`.

            SIGHUP reads the configuration again and applies what has changed, for clients that connect from then on; the \
            log names what needs a restart. It reads certificate, key and client CA again, too, which also happens when \
            they change, and the ticket key file. That file lets clients return after a restart with a shorter handshake. It is made if it is missing, and \
            replaced if it is older than 30 days at the start or at SIGHUP. To change the key at once, delete the file and \
            send SIGHUP. SIGUSR1 drains: no new clients are taken, those that are connected are sent to another server, and the \
            program ends when all have left, or after serve.drain_timeout. SIGUSR2 writes a line of statistics to the log.

            The first SIGTERM or Ctrl-C ends all sessions in order within serve.shutdown_timeout; a second one ends the \
            program at once. Exit codes: 78 if the configuration is not usable; 1 if an address of serve.listen is not \
            available.
            """)

    @OptionGroup var options: ConfigurationOptions

    @OptionGroup var log: LogOptions

    func run() async throws {
        let source = ConfigurationSource(.serve, options, log) {
            FileDescriptors.raiseFully(
                for: $0.limits.connections, threads: $0.threads, name: "serve.connections")
        }
        try await Supervisor.run(source) { (configuration, signals, logger) throws -> ServeService in
            try PassedSockets.refuse(try ServiceManager.passedDescriptors())
            return try ServeService(configuration: configuration, signals: signals, logger: logger)
        }
    }
}
