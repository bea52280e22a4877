import ArgumentParser
import Bridge
import BridgeConfig
import BridgeCore
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the bridge until SIGTERM or Ctrl-C.",
        discussion: """
            The first SIGTERM or Ctrl-C ends all sessions in order within limits.shutdown_timeout; a second one ends the \
            program at once. Exits with 78 where the configuration is not usable, with 1 where an address of `listen` is \
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
        try await run(try service(loaded.configuration, logger), logger)
    }

    private func service(_ configuration: BridgeConfiguration, _ logger: Logger) throws -> BridgeService {
        do {
            return try BridgeService(configuration: configuration, logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(error)"])
            throw ExitCode.configuration
        }
    }

    private func run(_ service: BridgeService, _ logger: Logger) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        let group = ServiceGroup(
            configuration: .init(
                services: [service], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        let impatience = Task { await Self.exitAtSecondSignal(logger) }
        defer { impatience.cancel() }
        do {
            try await group.run()
        } catch {
            logger.critical("the bridge ended", metadata: ["error": "\(error)"])
            throw ExitCode.failure
        }
    }

    private static func exitAtSecondSignal(_ logger: Logger) async {
        var count = 0
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            guard count > 1 else { continue }
            logger.warning("second signal: ending at once", metadata: ["signal": "\(signal)"])
            Foundation.exit(1)
        }
    }
}

extension LogConfiguration.Level: ExpressibleByArgument {}
