import ArgumentParser
import BridgeCore
import Measurement

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The result of `bench`.
struct BenchReport: Sendable {
    let plan: BenchPlan
    let counts: BenchTally.Counts
    /// How long the devices published, in seconds.
    let seconds: Double
    let connecting: BenchUsage
    let publishing: BenchUsage
    /// Whether a signal ended it before its time.
    let wasInterrupted: Bool

    /// From this lag on, the latencies say more about this machine than about the broker.
    private static let longestLag: Int64 = 10_000_000

    /// Messages that the subscribers did not get; `nil` if there are none.
    var missing: Int? {
        plan.subscribers == 0 ? nil : max(counts.published * plan.subscribers - counts.received, 0)
    }

    /// Whether all went as planned. With QoS 0, messages may be lost.
    var isClean: Bool {
        counts.connectFailures == 0 && counts.lost == 0 && counts.publishFailures == 0 && counts.unanswered == 0
            && counts.unsent == 0 && counts.subscribed == plan.subscribers
            && (plan.qos == .atMostOnce || (missing ?? 0) == 0)
    }

    /// Whether this program had too little processor time.
    var isLimitedByThisMachine: Bool {
        connecting.isExhausted || publishing.isExhausted || counts.lag.percentile(99) > Self.longestLag
    }

    /// `bench` ends with this if no signal has ended it.
    var exitCode: ExitCode {
        if counts.connected == 0 { return .unavailable }
        return isClean ? .success : ExitCode(3)
    }

    func perSecond(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }
}

/// The report as a table for people.
extension BenchReport {
    var text: String {
        var lines = [connectedLine, publishedLine]
        if let missing {
            lines.append(
                "received     \(counts.received): \(rate(counts.received)), \(bytesPerSecond(counts.bytesReceived))"
                    + (missing > 0 ? ", \(missing) missing" : ""))
        }
        if counts.late > 0 {
            lines.append("held up      \(counts.late) waited because \(plan.window) had no acknowledgement (-M)")
        }
        if counts.unanswered > 0 {
            lines.append("unanswered   \(counts.unanswered) at the end, in the latencies with the time until then")
        }
        if counts.unsent > 0 { lines.append("never sent   \(counts.unsent) that were due") }
        lines.append(
            "processor    \(Self.number(publishing.used)) of \(publishing.available) used by this program"
                + " (while connecting: \(Self.number(connecting.used)))")
        lines += table + errorLines
        if isLimitedByThisMachine { lines += ["", limitNote] }
        if wasInterrupted { lines += ["", "A signal ended the run before its time."] }
        return lines.joined(separator: "\n") + "\n"
    }

    private var connectedLine: String {
        "connected    \(counts.connected) of \(plan.devices) devices"
            + (plan.subscribers > 0 ? ", \(counts.subscribed) of \(plan.subscribers) subscribers" : "")
            + (counts.tlsConnections > 0 ? ", \(counts.tlsConnections) over TLS instead of QUIC" : "")
            + (counts.lost > 0 ? ", \(counts.lost) lost" : "")
    }

    private var publishedLine: String {
        "published    \(counts.published) of \(counts.sent) in \(Self.number(seconds)) s: \(rate(counts.published)), "
            + bytesPerSecond(counts.bytesSent)
    }

    private var limitNote: String {
        let lag = counts.lag.count > 0 ? Self.milliseconds(counts.lag.percentile(99)) : "0 ms"
        return """
            This machine is the limit: this program did not get a processor in time, and began 1 % of the messages more
            than \(lag) late. The latencies contain that. Use fewer devices, a lower rate (--rate, --connect-rate), or
            several machines.
            """
    }

    private var table: [String] {
        let rows = [
            ("connect", counts.connect), ("publish", counts.publish), ("end to end", counts.endToEnd),
            ("own delay", counts.lag),
        ].filter { $0.1.count > 0 }
        guard !rows.isEmpty else { return [] }
        return ["", Self.columns("latency", ["count", "p50", "p95", "p99", "max"])]
            + rows.map { name, histogram in
                let times = [50.0, 95, 99, 100].map { Self.milliseconds(histogram.percentile($0)) }
                return Self.columns(name, ["\(histogram.count)"] + times)
            }
    }

    private var errorLines: [String] {
        guard !counts.errors.isEmpty else { return [] }
        return ["", "errors"]
            + counts.errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) x \($0.key.printable)" }
    }

    private static func columns(_ name: String, _ values: [String]) -> String {
        name.padded(to: 12)
            + values.map { String(repeating: " ", count: max(12 - $0.count, 1)) + $0 }.joined()
    }

    private func rate(_ count: Int) -> String { "\(Self.number(perSecond(count)))/s" }

    private func bytesPerSecond(_ bytes: Int) -> String {
        let rate = perSecond(bytes)
        return rate < 1_000_000 ? "\(Self.number(rate / 1_000)) kB/s" : "\(Self.number(rate / 1_000_000)) MB/s"
    }

    static func number(_ value: Double) -> String {
        value.text(decimals: value < 100 ? 1 : 0)
    }

    static func milliseconds(_ nanoseconds: Int64) -> String {
        "\((Double(nanoseconds) / 1e6).text(decimals: nanoseconds < 100_000_000 ? 2 : 0)) ms"
    }
}
