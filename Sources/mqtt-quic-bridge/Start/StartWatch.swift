import Bridge
import BridgeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Tells somebody at a terminal how the start goes: a summary, and then what the program waits for until the broker has
/// answered for the first time.
enum StartWatch {
    /// How often the state of the broker is looked at until it has answered.
    private static let interval = Duration.milliseconds(500)

    /// Whether there is somebody to tell. Otherwise the log has it all.
    static func isWanted(_ format: LogConfiguration.Format) -> Bool { format == .text && isatty(STDERR_FILENO) == 1 }

    /// Returns when there is nothing more to tell, or when the task is cancelled.
    ///
    /// - Parameter write: Writes some lines to the terminal.
    static func run(
        _ service: any WatchedService, _ configuration: some Summarized,
        write: @Sendable (String) -> Void = StandardError.write
    ) async {
        guard let addresses = await service.untilListening() else { return }
        var status = await service.monitor.status()
        let summary = configuration.summary(listening: addresses, status: status)
        write(summary.text + (status.uplink.state == .up ? "" : summary.outlook + "\n"))
        var told: String?
        while !Task.isCancelled {
            switch status.uplink.state {
            case .up:
                return write("The broker answers. \(status.line.capitalizedFirst).\n")
            case .down where status.uplink.problem != told:
                told = status.uplink.problem
                write("The broker does not answer: \(told ?? "no reason is known"). Trying again ...\n")
            case .down, .unknown:
                break
            }
            try? await Task.sleep(for: interval)
            status = await service.monitor.status()
        }
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
