#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The lines that show how far `bench` is.
struct BenchProgress: Sendable {
    static let barWidth = 24

    let plan: BenchPlan
    /// Whether a line replaces the one before it, as on a terminal.
    let isTerminal: Bool

    /// - Parameters:
    ///   - elapsed: How long the devices have published, in seconds; `nil` while they connect.
    ///   - previous: The counts of the line before, `interval` seconds ago.
    func line(
        _ counts: BenchTally.Counts, elapsed: Double?, previous: BenchTally.Counts?, interval: Double
    ) -> String {
        let total = plan.connections
        let connected = counts.connected + counts.subscribed
        let duration = Double(plan.duration)
        let share = elapsed.map { min($0 / max(duration, 1), 1) } ?? min(Double(connected) / Double(total), 1)
        var parts = [
            elapsed.map { "\(Int($0)) s of \(Int(duration)) s" } ?? "connecting",
            "\(connected)/\(total) connected",
        ]
        if elapsed != nil, interval > 0 {
            let rate = Double(counts.published - (previous?.published ?? 0)) / interval
            parts.append("\(BenchReport.number(rate)) msg/s")
            if counts.publish.count > 0 {
                parts.append("p99 \(BenchReport.milliseconds(counts.publish.percentile(99)))")
            }
        }
        let failures = counts.connectFailures + counts.lost + counts.publishFailures
        if failures > 0 { parts.append("\(failures) failed") }
        guard isTerminal else { return parts.joined(separator: ", ") + "\n" }
        // The line before may have been longer.
        return "\r\(bar(share)) \(parts.joined(separator: "  "))\u{1B}[K"
    }

    private func bar(_ share: Double) -> String {
        let full = Int((share * Double(Self.barWidth)).rounded(.down))
        return "[" + String(repeating: "#", count: full) + String(repeating: "-", count: Self.barWidth - full) + "]"
    }

    /// What ends the last line.
    var end: String { isTerminal ? "\r\u{1B}[K" : "" }
}

extension BenchProgress {
    /// Shows every second on a terminal, and every five seconds elsewhere, how far the run is, until it is cancelled.
    static func show(_ run: BenchRun) async {
        let progress = BenchProgress(plan: run.plan, isTerminal: isatty(STDERR_FILENO) == 1)
        let interval = progress.isTerminal ? 1.0 : 5.0
        var previous: BenchTally.Counts?
        while (try? await Task.sleep(for: .seconds(interval))) != nil {
            let counts = run.tally.current
            StandardError.write(
                progress.line(counts, elapsed: run.began.elapsed, previous: previous, interval: interval))
            previous = counts
        }
        StandardError.write(progress.end)
    }
}
