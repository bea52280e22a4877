import Logging
import NIOPosix
import ServiceLifecycle

/// What ``BridgeService`` and ``ServeService`` have in common while they run: their event loops, the statistics in the
/// log, and the order in which they stop.
struct ServiceRun {
    let logger: Logger
    let report: StatisticsReport

    /// How long `end` may take; this is only logged.
    let shutdownTimeout: Duration

    /// Runs `body` on event loops of its own, and stops them when it returns or throws.
    static func onEventLoops(
        _ threads: Int, _ body: (MultiThreadedEventLoopGroup) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        do {
            try await body(group)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Logs statistics until graceful shutdown or cancellation; then calls `end`, which ends all sessions, and logs the
    /// final figures.
    ///
    /// - Parameter requests: Each element asks for a line of statistics at once.
    func untilStopped(_ requests: AsyncStream<Void>, end: () async -> Void) async {
        let reports = Task { await report.run(requests) }
        // A cancelled task stops in the same order as a graceful shutdown.
        try? await gracefulShutdown()
        reports.cancel()
        logger.info("shutting down", metadata: ["within": "\(shutdownTimeout)"])
        await end()
        await report.report()
    }
}
