/// The figures of one run, or the medians of several. A figure that could not be measured is missing.
package struct Figures: Sendable, Equatable {
    package private(set) var values: [Figure: Double]

    package init(_ values: [Figure: Double] = [:]) {
        self.values = values.filter(\.value.isFinite)
    }

    package subscript(figure: Figure) -> Double? {
        get { values[figure] }
        set { values[figure] = newValue.flatMap { $0.isFinite ? $0 : nil } }
    }

    /// The median of each figure over the rounds that have it.
    package static func medians(of rounds: [Figures]) -> Figures {
        var result = Figures()
        for figure in Figure.allCases {
            result[figure] = median(rounds.compactMap { $0[figure] })
        }
        return result
    }

    /// The middle value, or the mean of the two in the middle; `nil` without values.
    package static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// Each figure divided by the same one of `base`. Where that is zero or missing, there is no ratio.
    package func ratios(to base: Figures) -> Figures {
        var result = Figures()
        for (figure, value) in values {
            guard let other = base[figure], other > 0 else { continue }
            result[figure] = value / other
        }
        return result
    }
}

extension Figures: Codable {
    package init(from decoder: any Decoder) throws {
        let named = try decoder.singleValueContainer().decode([String: Double].self)
        self.init(
            Dictionary(
                uniqueKeysWithValues: named.compactMap { name, value in Figure(rawValue: name).map { ($0, value) } }))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) }))
    }
}
