/// How often the service manager wants to hear that the program works: systemd's `WATCHDOG_USEC` and `WATCHDOG_PID`
/// (sd_watchdog_enabled(3)).
package enum WatchdogTime {
    /// Returns the time between two messages, which is half of what the service manager allows; `nil` if it wants none
    /// from this process.
    package static func interval(
        in environment: [String: String], processID: Int32
    ) throws(SupervisionError) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"] else { return nil }
        if let owner = environment["WATCHDOG_PID"], owner != "\(processID)" { return nil }
        guard let time = Int64(text), time > 0, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw SupervisionError("WATCHDOG_USEC", text, "is no positive number of microseconds")
        }
        return .microseconds(max(1, time / 2))
    }
}
