import BenchmarkLoad
import Foundation

/// A load report as text.
enum LoadTable {
    static func text(_ report: LoadReport) -> String {
        var lines = [
            "\(report.devices) devices, \(number(report.windowSeconds)) s: "
                + "\(number(report.messagesPerSecond)) messages per second",
            "offered \(report.offered), arrived \(report.arrived), lost \(report.lost), "
                + "duplicates \(report.duplicates), unsent \(report.unsent), resent \(report.resent)",
            "reconnects \(report.reconnects), connects refused \(report.connectsRefused), "
                + "longest gap \(number(report.longestGapMilliseconds)) ms",
            "load generator: late by \(number(report.loadLagMilliseconds)) ms (p99), "
                + "\(number(report.loadCPUMicrosecondsPerMessage)) us of CPU per message",
            row("milliseconds", ["p50", "p95", "p99", "max", "samples"]),
        ]
        let latencies: [(String, LoadReport.Latency?)] = [
            ("connect", report.connect), ("end to end", report.endToEnd), ("acknowledged", report.acknowledged),
            ("commands", report.commands), ("recovery", report.recovery),
        ]
        for case (let name, let latency?) in latencies where latency.count > 0 {
            lines.append(
                row(name, [latency.p50, latency.p95, latency.p99, latency.max].map(number) + ["\(latency.count)"]))
        }
        if let missing = report.notRecovered { lines.append("devices that did not recover: \(missing)") }
        lines += processes(report) + minutes(report)
        return lines.map { $0 + "\n" }.joined()
    }

    private static func processes(_ report: LoadReport) -> [String] {
        guard !report.processes.isEmpty else { return [] }
        let head = row("process", ["us/message", "wakeups", "KiB before", "KiB after", "KiB/device"])
        return [head]
            + report.processes.map { process in
                row(
                    process.name,
                    [
                        number(process.cpuMicrosecondsPerMessage), number(process.wakeupsPerMessage),
                        number(process.residentBeforeKiB.map(Double.init)),
                        number(process.residentAfterKiB.map(Double.init)), number(process.residentPerDeviceKiB),
                    ])
            }
    }

    private static func minutes(_ report: LoadReport) -> [String] {
        report.minutes.map { minute in
            let processes = minute.processes.map {
                ", \($0.name) \(number($0.cpuMicrosecondsPerMessage)) us/message, "
                    + "\(number($0.residentKiB.map(Double.init))) KiB"
            }
            return "minute \(minute.minute): \(number(minute.messagesPerSecond)) messages per second, "
                + "p99 \(number(minute.endToEnd.p99)) ms" + processes.joined()
        }
    }

    private static func row(_ name: String, _ cells: [String]) -> String {
        pad(name, 14, left: true) + cells.map { pad($0, 12, left: false) }.joined()
    }

    private static func pad(_ text: String, _ width: Int, left: Bool) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? text + space : space + text
    }

    /// With two decimals if it has any; `-` if there is none.
    private static func number(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value == value.rounded() ? String(Int(value)) : String(format: "%.2f", value)
    }
}
