/// What was measured under one condition.
package struct ConditionResult: Sendable, Codable {
    /// What one path gave.
    package struct Column: Sendable, Codable {
        package let path: String
        package let rounds: [Figures]
        package let median: Figures
        /// Each median divided by HAProxy's; `nil` for HAProxy, and where that was not measured.
        package let ratio: Figures?
    }

    package let scenario: String
    package let title: String
    package let link: Condition.Link
    package let load: Condition.Load
    package private(set) var columns: [Column] = []

    /// The rows of the table, in their order.
    package var figures: [Figure] { shown.compactMap(Figure.init) }
    private let shown: [String]

    package init(
        _ scenario: Scenario, _ condition: Condition, title: String, _ measured: [(path: Path, rounds: [Figures])]
    ) {
        self.scenario = scenario.name
        self.title = title
        link = condition.link
        load = condition.load
        shown = scenario.figures.map(\.rawValue)
        let base = measured.first { $0.path == .haproxy }.map { Figures.medians(of: $0.rounds) }
        columns = measured.map { path, rounds in
            let median = Figures.medians(of: rounds)
            let ratio = path == .haproxy ? nil : base.map(median.ratios(to:))
            return Column(path: path.name, rounds: rounds, median: median, ratio: ratio)
        }
    }

    enum CodingKeys: String, CodingKey {
        case scenario, title, link, load, columns
        case shown = "figures"
    }
}
