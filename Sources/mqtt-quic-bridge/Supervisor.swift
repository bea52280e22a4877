import ArgumentParser
import Bridge
import BridgeAdmin
import BridgeConfig
import BridgeCore
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs `run` or `serve` until a signal ends it.
enum Supervisor {
    /// Makes the service and runs it until SIGTERM or SIGINT. The first such signal ends the service in order, a second
    /// one ends the program at once.
    ///
    /// Throws ``ExitCode/configuration`` if the service cannot be made from this configuration, and ``ExitCode/failure``
    /// if the service fails; the log says why.
    ///
    /// - Parameter output: What the logger writes to. It is flushed at the end.
    static func run<Configuration: AdminConfigured & Summarized>(
        _ loaded: Loaded<Configuration>, _ logger: Logger, _ output: LogOutput,
        _ make: (ProgramSignals) throws -> any WatchedService
    ) async throws {
        defer { output.flush() }
        let signals = await signals()
        let service: any WatchedService
        let admin: AdminService?
        do {
            service = try make(signals)
            admin = try AdminService(
                configuration: loaded.configuration.admin, service: service.monitor, controls: controls(output),
                logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(loaded.place(error))"])
            throw ExitCode.configuration
        }
        let notify = NotifyService(ServiceManager(logger: logger), service, logger: logger)
        let summary = summary(of: service, loaded.configuration, output)
        defer { summary?.cancel() }
        try await run(service, admin, notify, logger, output)
    }

    /// Tells somebody at a terminal how the start goes; `nil` if there is nobody.
    private static func summary(
        of service: any WatchedService, _ configuration: some Summarized, _ output: LogOutput
    ) -> Task<Void, Never>? {
        guard StartWatch.isWanted(output.format) else { return nil }
        return Task { await StartWatch.run(service, configuration) }
    }

    /// What the admin endpoint may do besides watching and controlling the service.
    private static func controls(_ output: LogOutput) -> AdminControls {
        AdminControls(
            logLevel: { output.level }, setLogLevel: { output.level = $0 }, troubles: { output.troubles })
    }

    /// The admin endpoint ends last, so that the end can be watched, and with the service, whatever ended that. The service
    /// manager is told first.
    private static func run(
        _ service: any Service, _ admin: AdminService?, _ notify: NotifyService?, _ logger: Logger, _ output: LogOutput
    ) async throws {
        var quiet = logger
        quiet.logLevel = .error
        let configuration = ServiceGroupConfiguration(
            services: [admin.map { .init(service: $0) }].compactMap { $0 } + [
                .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
            ] + [notify.map { .init(service: $0) }].compactMap { $0 },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        let group = ServiceGroup(configuration: configuration)
        let impatience = Task { await Self.exitAtSecondSignal(logger, output) }
        defer { impatience.cancel() }
        do {
            try await group.run()
        } catch {
            logger.critical("the program ended", metadata: ["error": "\(error)"])
            throw ExitCode.failure
        }
    }

    /// From this call on SIGHUP, SIGUSR1 and SIGUSR2 no longer end the program.
    private static func signals() async -> ProgramSignals {
        ProgramSignals(
            reloads: await elements(.sighup), drains: await elements(.sigusr1), statistics: await elements(.sigusr2))
    }

    /// One element per signal; several signals that arrive before the first is consumed count as one.
    private static func elements(_ signal: UnixSignal) async -> AsyncStream<Void> {
        let signals = await UnixSignalsSequence(trapping: signal)
        let (elements, element) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        Task {
            for await _ in signals { element.yield() }
        }
        return elements
    }

    private static func exitAtSecondSignal(_ logger: Logger, _ output: LogOutput) async {
        var count = 0
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
            count += 1
            guard count > 1 else { continue }
            logger.warning("second signal received, ending at once", metadata: ["signal": "\(signal)"])
            output.flush()
            Foundation.exit(1)
        }
    }
}
