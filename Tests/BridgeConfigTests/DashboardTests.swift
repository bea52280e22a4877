import Foundation
import TestSupport
import Testing

/// The dashboard and the alerts must ask for metrics and labels that `docs/metrics.md` has; another test compares that
/// page with what the program says.
struct DashboardTests {
    /// What Prometheus itself adds to every series.
    private static let labelsOfPrometheus: Set = ["job", "instance", "le"]
    private static let metricsOfPrometheus: Set = ["up"]
    /// What is about watching itself, and needs no panel.
    private static let notShown: Set = [
        "mqtt_quic_bridge_admin_refusals_total", "mqtt_quic_bridge_admin_series_dropped_total",
        "process_start_time_seconds",
    ]

    @Test func queriesAskForWhatThereIs() throws {
        let documented = try Self.documented()
        #expect(documented.count > 20)
        var asked: Set<String> = []
        for query in try Dashboard().queries() + Self.queriesOfAlerts() {
            for metric in Self.metrics(in: query) where !Self.metricsOfPrometheus.contains(metric.name) {
                let name = documented[metric.name] == nil ? Self.withoutSuffix(metric.name) : metric.name
                asked.insert(name)
                guard let labels = documented[name] else {
                    Issue.record("no such metric: \(metric.name), in \(query)")
                    continue
                }
                let unknown = metric.labels.subtracting(labels).subtracting(Self.labelsOfPrometheus)
                #expect(unknown.isEmpty, "\(name) has no label \(unknown), in \(query)")
            }
        }
        let own = documented.keys.filter { $0.hasPrefix("mqtt_quic_bridge_") || $0.hasPrefix("process_") }
        let forgotten = Set(own).subtracting(asked).subtracting(Self.notShown)
        #expect(forgotten.isEmpty, "the dashboard does not show these")
    }

    @Test func panelsDoNotOverlap() throws {
        let panels = try Dashboard().panels
        var cells: Set<[Int]> = []
        for panel in panels {
            let place = panel.gridPos
            #expect(place.x + place.w <= 24)
            for x in place.x..<(place.x + place.w) {
                for y in place.y..<(place.y + place.h) {
                    let isFree = cells.insert([x, y]).inserted
                    #expect(isFree, "\(panel.title) lies on another panel")
                }
            }
        }
        #expect(Set(panels.map(\.id)).count == panels.count)
    }

    @Test(.enabled(if: Promtool.isInstalled, "no promtool is installed here: scripts/bootstrap says why"))
    func prometheusTakesTheQueriesAndAlerts() throws {
        let folder = Document.root.appending(path: "deploy/prometheus").path
        for arguments in [
            ["check", "config", "\(folder)/prometheus.yml"],
            // The token that it names is not there.
            ["check", "config", "--syntax-only", "\(folder)/compose.yml"],
            ["test", "rules", "\(folder)/alerts.test.yml"],
        ] {
            let result = try Promtool.run(arguments)
            #expect(result.status == 0, "\(result.output)")
        }
        let rules = try Dashboard().queries().enumerated().map { number, query in
            "  - {record: \"query:\(number)\", expr: '\(query)'}\n"
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "rules-\(UUID().uuidString).yml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("groups:\n- name: dashboard\n  rules:\n\(rules.joined())".utf8).write(to: file)
        let result = try Promtool.run(["check", "rules", file.path])
        #expect(result.status == 0, "\(result.output)")
    }
}

// MARK: - Reading

extension DashboardTests {
    /// What stands behind `expr:` in the alerts, with the lines that continue it.
    private static func queriesOfAlerts() throws -> [String] {
        let text = try Document("deploy/prometheus/alerts.yml").text
        let queries = text.matches(of: /expr: (?:>-)?((?:.|\n)*?)\n *(?:for|labels):/).map { String($0.output.1) }
        #expect(queries.count > 5)
        return queries
    }

    /// Each documented metric with its labels, from the rows of the tables.
    private static func documented() throws -> [String: Set<String>] {
        var metrics: [String: Set<String>] = [:]
        for line in try Document("docs/metrics.md").text.split(separator: "\n") {
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 4 else { continue }
            let labels = Set(cells[2].matches(of: /`(\w+)`/).map { String($0.output.1) })
            for name in cells[0].matches(of: /`(\w+)`/) { metrics[String(name.output.1)] = labels }
        }
        return metrics
    }

    /// The metrics that a query names, each with the labels of its selector, and all that the query groups by.
    private static func metrics(in query: String) -> [(name: String, labels: Set<String>)] {
        let grouping = query.matches(of: /by \(([^)]*)\)/).flatMap { words(String($0.output.1)) }
        return query.matches(of: /\b((?:mqtt_quic_bridge|process)_\w+|up)\b(?:\{([^}]*)\})?/).map { match in
            let selector = match.output.2.map(String.init) ?? ""
            let selected = selector.matches(of: /(\w+)\s*(?:=~|!~|!=|=)/).map { String($0.output.1) }
            return (String(match.output.1), Set(grouping + selected))
        }
    }

    private static func words(_ text: String) -> [String] {
        text.matches(of: /\w+/).map { String($0.output) }
    }

    private static func withoutSuffix(_ name: String) -> String {
        for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return name
    }
}
