/// What the operator asks of the running program.
package struct ProgramSignals: Sendable {
    /// Each element asks the program to take nobody new and to end when all have left (SIGUSR1).
    package var drains: AsyncStream<Void>
    /// Each element asks for a line of statistics in the log (SIGUSR2).
    package var statistics: AsyncStream<Void>

    /// Without an argument there are no such requests.
    package init(
        drains: AsyncStream<Void> = AsyncStream { _ in }, statistics: AsyncStream<Void> = AsyncStream { _ in }
    ) {
        self.drains = drains
        self.statistics = statistics
    }
}
