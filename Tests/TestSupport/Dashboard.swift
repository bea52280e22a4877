import Foundation

/// The Grafana dashboard in `deploy/grafana`.
package struct Dashboard: Decodable {
    package struct Panel: Decodable {
        package struct Place: Decodable {
            package var h, w, x, y: Int
        }
        struct Target: Decodable {
            var expr: String
        }
        package var id: Int
        package var title: String
        package var gridPos: Place
        var targets: [Target]?
    }

    package var panels: [Panel]

    package init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let file = root.appending(path: "deploy/grafana/mqtt-quic-bridge.json")
        self = try JSONDecoder().decode(Dashboard.self, from: Data(contentsOf: file))
    }

    /// The queries as Grafana sends them for all jobs and instances.
    package func queries(rateInterval: String = "1m") -> [String] {
        panels.flatMap { $0.targets ?? [] }.map { target in
            target.expr.replacing("$__rate_interval", with: rateInterval).replacing("$job", with: ".*")
                .replacing("$instance", with: ".*")
        }
    }
}
