import BenchmarkSuite
import Foundation

// How much the judge has let pass.
extension EnduranceReport {
    /// A row for everything that was excused in a group, with the share of what there was, and the reasons.
    var excuseTable: String {
        let times = calm.map { "\($0.group.rawValue) \(Self.percent($0.seconds, of: seconds))" }
        let share = "calm, with nothing excused: " + times.joined(separator: ", ") + " of the time"
        var table = TextTable(header: ["excused", "count", "of", "share"])
        var causes = [""]
        let rows = Dictionary(grouping: excused) { ExcuseCounts.Key(group: $0.group, what: $0.what, reason: "") }
        let groups = Group.allCases
        let sorted = rows.sorted {
            let (a, b) = (groups.firstIndex(of: $0.key.group) ?? 0, groups.firstIndex(of: $1.key.group) ?? 0)
            return (a, $0.key.what) < (b, $1.key.what)
        }
        for (key, reasons) in sorted {
            let count = reasons.reduce(0) { $0 + $1.count }
            let all = total(key.group, key.what)
            let names = reasons.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) }
                .map { "\($0.reason) \($0.count)" }
            table.add([
                "\(key.group.rawValue) \(key.what)", "\(count)", all.map { "\($0)" } ?? "",
                all.map { Self.percent(Double(count), of: Double($0)) } ?? "",
            ])
            causes.append("  \(names.joined(separator: ", "))")
        }
        let lines = zip(table.text.split(separator: "\n"), causes).map { $0 + $1 }
        return share + "\n\n" + (rows.isEmpty ? "nothing excused" : lines.joined(separator: "\n"))
    }

    /// How many there were of what was excused.
    private func total(_ group: Group, _ what: String) -> Int? {
        if let row = messages.first(where: { $0.group == group && what.hasPrefix("\($0.kind) ") }) {
            return what.hasSuffix(" lost") ? row.counts.sent : row.counts.arrived + row.counts.repeated
        }
        guard let counts = lives.first(where: { $0.group == group })?.counts else { return nil }
        return switch what {
        case "will of a device that lives", "will not due", "will of a forgotten connection": counts.wills
        case "will missing or late": counts.vanished + counts.takenOver
        case "no will", "connection closed", "not accepted": counts.connected
        default: nil
        }
    }

    private static func percent(_ part: Double, of all: Double) -> String {
        all > 0 ? String(format: "%.2f %%", 100 * part / all) : "-"
    }
}
