import Bridge
import BridgeConfig
import BridgeCore
import Logging

/// Reads the configuration again and has the running service apply it: one reload at a time, in the order in which they
/// are asked for.
actor Reloader<Watched: WatchedService> {
    /// How many reloads that somebody asks for over HTTP may wait.
    private static var mostWaiting: Int { 16 }

    private let service: Watched
    private let read: @Sendable () throws(ConfigurationErrors) -> Loaded<Watched.Configuration>
    private let raiseLimits: @Sendable (Watched.Configuration) -> String?
    private let logger: Logger
    private let output: LogOutput
    private let manager: ServiceManager?
    /// The latest reload, whether it is under way, waits or is over.
    private var last: Task<ReloadReport, Never>?
    private var waiting = 0

    /// - Parameter manager: Is told of each reload, once the service listens.
    init(
        _ service: Watched, _ source: ConfigurationSource<Watched.Configuration>, _ logger: Logger, _ output: LogOutput,
        telling manager: ServiceManager? = nil
    ) {
        self.service = service
        self.read = { () throws(ConfigurationErrors) in try source.read() }
        self.raiseLimits = source.raiseLimits
        self.logger = logger
        self.output = output
        self.manager = manager
    }

    /// Reloads for each element, until the task is cancelled. What comes while a reload is under way or waits leads to one
    /// more reload behind it, however often it comes.
    func follow(_ requests: AsyncStream<Void>) async {
        for await _ in requests { _ = await enqueue(isDryRun: false, isAllOrNothing: false) }
    }

    /// - Parameters:
    ///   - isDryRun: Whether the report is all that is wanted.
    ///   - isAllOrNothing: Whether nothing is changed if something needs a restart.
    func reload(isDryRun: Bool, isAllOrNothing: Bool) async -> ReloadReport {
        guard waiting < Self.mostWaiting else {
            return ReloadReport(ok: false, errors: ["\(Self.mostWaiting) reloads are waiting already: try again later"])
        }
        waiting += 1
        defer { waiting -= 1 }
        return await enqueue(isDryRun: isDryRun, isAllOrNothing: isAllOrNothing)
    }

    private func enqueue(isDryRun: Bool, isAllOrNothing: Bool) async -> ReloadReport {
        let previous = last
        let task = Task {
            _ = await previous?.value
            // Before the service listens it must not be called ready.
            guard let manager, !isDryRun, !service.listening.isEmpty else {
                return await perform(isDryRun: isDryRun, isAllOrNothing: isAllOrNothing)
            }
            await manager.reloading()
            let report = await perform(isDryRun: isDryRun, isAllOrNothing: isAllOrNothing)
            await manager.ready()
            return report
        }
        last = task
        return await task.value
    }

    private func perform(isDryRun: Bool, isAllOrNothing: Bool) async -> ReloadReport {
        let before = service.configuration
        var (report, warnings) = await outcome(isDryRun: isDryRun, isAllOrNothing: isAllOrNothing)
        guard !isDryRun else {
            report.warnings = warnings + report.warnings
            return report
        }
        if report.ok {
            let now = service.configuration
            if let warning = raiseLimits(now) { warnings.append(warning) }
            output.adopt(now.log, after: before.log)
        }
        for warning in warnings { logger.warning("configuration", metadata: ["detail": .string(warning)]) }
        report.warnings = warnings + report.warnings
        report.log(to: logger)
        return report
    }

    /// Reads the configuration and lets the service compare and apply it. The service logs its own warnings.
    private func outcome(isDryRun: Bool, isAllOrNothing: Bool) async -> (ReloadReport, warnings: [String]) {
        guard let result = await FileThread.run({ [read] in Self.result(of: read) }) else {
            return (ReloadReport(ok: false, errors: ["the program is ending"]), [])
        }
        switch result {
        case .failure(let errors):
            return (ReloadReport(ok: false, errors: errors.all.map(\.description)), [])
        case .success(let loaded):
            do {
                let report = try await service.reload(
                    loaded.configuration, isDryRun: isDryRun, isAllOrNothing: isAllOrNothing)
                return (report, loaded.warnings)
            } catch {
                return (ReloadReport(ok: false, errors: [loaded.place(error)]), [])
            }
        }
    }

    private static func result(
        of read: () throws(ConfigurationErrors) -> Loaded<Watched.Configuration>
    ) -> Result<Loaded<Watched.Configuration>, ConfigurationErrors> {
        do throws(ConfigurationErrors) { return .success(try read()) } catch { return .failure(error) }
    }
}

extension ReloadReport {
    /// Says what a reload came to.
    fileprivate func log(to logger: Logger) {
        guard ok else {
            let waiting = changes.filter { $0.effect == .needsRestart }.map(\.key).joined(separator: ", ")
            let refusal = "all or nothing was asked for, and this needs a restart: \(waiting)"
            for error in errors.isEmpty ? [refusal] : errors {
                logger.error(
                    "the configuration was not reloaded; the previous one stays in force",
                    metadata: ["error": .string(error)])
            }
            return
        }
        for change in changes {
            let metadata: Logger.Metadata = ["key": .string(change.key), "detail": .string(change.detail)]
            switch change.effect {
            case .applied: logger.info("a changed key is in force", metadata: metadata)
            case .needsRestart: logger.warning("a changed key needs a restart", metadata: metadata)
            }
        }
        let waiting = changes.count { $0.effect == .needsRestart }
        logger.info(
            "the configuration was reloaded",
            metadata: [
                "applied": "\(changes.count - waiting)", "needs_restart": "\(waiting)",
                "devices_ended": "\(devicesEnded)",
            ])
    }
}
