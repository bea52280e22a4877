import ArgumentParser
import Bridge
import BridgeAdmin
import BridgeCore
import Logging
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs `run` or `serve` until a signal ends it.
enum Supervisor {
    /// Makes the service and runs it until SIGTERM or SIGINT. The first such signal ends the service in order, a second
    /// one ends the program at once.
    ///
    /// Throws ``ExitCode/configuration`` if the service cannot be made from this configuration, and ``ExitCode/failure``
    /// if the service fails; the log says why.
    static func run<Watched: WatchedService>(
        _ source: ConfigurationSource<Watched.Configuration>,
        _ make: (Watched.Configuration, ProgramSignals, Logger) throws -> Watched
    ) async throws where Watched.Configuration: Summarized {
        // Whoever reads the log may have gone already.
        signal(SIGPIPE, SIG_IGN)
        let loaded = try source.load()
        let (logger, output) = LogOptions.start(loaded, source.raiseLimits(loaded.configuration))
        defer { output.flush() }
        let reloads = await elements(.sighup)
        let signals = await signals()
        let manager = ServiceManager(logger: logger)
        let service: Watched
        let reloader: Reloader<Watched>
        let admin: AdminService?
        do {
            service = try make(loaded.configuration, signals, logger)
            reloader = Reloader(service, source, logger, output, telling: manager)
            admin = try AdminService(
                configuration: loaded.configuration.admin, service: service.monitor,
                controls: controls(output, reloader), logger: logger)
        } catch {
            logger.critical("the configuration is not usable", metadata: ["error": "\(loaded.place(error))"])
            throw ExitCode.configuration
        }
        let notify = NotifyService(manager, service, logger: logger)
        let summary = summary(of: service, loaded.configuration, output)
        defer { summary?.cancel() }
        let following = Task { await reloader.follow(reloads) }
        defer { following.cancel() }
        try await run(service, admin, notify, logger, output)
    }

    /// Tells somebody at a terminal how the start goes; `nil` if there is nobody.
    private static func summary<Watched: WatchedService>(
        of service: Watched, _ configuration: Watched.Configuration, _ output: LogOutput
    ) -> Task<Void, Never>? where Watched.Configuration: Summarized {
        guard StartWatch.isWanted(output.format) else { return nil }
        return Task { await StartWatch.run(service, configuration) }
    }

    /// What the admin endpoint may do besides watching and controlling the service.
    private static func controls(_ output: LogOutput, _ reloader: Reloader<some WatchedService>) -> AdminControls {
        AdminControls(
            reload: { await reloader.reload(isDryRun: $0, isAllOrNothing: $1) },
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

    /// From this call on SIGUSR1 and SIGUSR2 no longer end the program.
    private static func signals() async -> ProgramSignals {
        ProgramSignals(drains: await elements(.sigusr1), statistics: await elements(.sigusr2))
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
            ProcessEnd.now(1)
        }
    }
}
