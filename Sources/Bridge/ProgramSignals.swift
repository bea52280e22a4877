/// What the operator asks of a program that runs.
package struct ProgramSignals: Sendable {
    /// Each element has files read again that may have changed (SIGHUP).
    package var reloads: AsyncStream<Void>
    /// Each element has a line of statistics written to the log (SIGUSR1).
    package var statistics: AsyncStream<Void>

    package init(
        reloads: AsyncStream<Void> = AsyncStream { _ in }, statistics: AsyncStream<Void> = AsyncStream { _ in }
    ) {
        self.reloads = reloads
        self.statistics = statistics
    }
}
