import Logging
import NIOPosix
import ServiceLifecycle

/// What ``BridgeService`` and ``ServeService`` have in common while they run: their event loops, the statistics in the
/// log, and the order in which they stop.
struct ServiceRun {
    let logger: Logger
    let report: StatisticsReport

    /// How long `end` may take; this is only logged.
    let shutdownTimeout: @Sendable () -> Duration

    /// Runs `body` on event loops of its own, and stops them when it returns or throws.
    ///
    /// - Parameter gathers: Whether the loops may wait between their turns; see ``LoopGathering``.
    static func onEventLoops(
        _ threads: Int, gathers: Bool, _ body: (MultiThreadedEventLoopGroup) async throws -> Void
    ) async throws {
        let group =
            gathers
            ? MultiThreadedEventLoopGroup(numberOfThreads: threads, metricsDelegate: LoopGathering.TurnEnds())
            : MultiThreadedEventLoopGroup(numberOfThreads: threads)
        do {
            try await body(group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Logs statistics until graceful shutdown or cancellation, or until the service is drained; then calls `end`, which
    /// ends all sessions, and logs the final figures.
    func untilStopped<Host>(
        _ signals: ProgramSignals, draining state: MonitorState<Host>, end: () async -> Void
    ) async {
        let reports = Task { await report.run(signals.statistics) }
        let drains = Task { for await _ in signals.drains { await state.drain(within: nil) } }
        await withTaskGroup(of: Void.self) { group in
            // A cancelled task stops in the same order as a graceful shutdown.
            group.addTask { try? await gracefulShutdown() }
            group.addTask { await state.untilDrained(logger) }
            await group.next()
            group.cancelAll()
        }
        drains.cancel()
        reports.cancel()
        logger.info("shutting down", metadata: ["within": "\(shutdownTimeout())"])
        await end()
        await report.report()
    }
}
