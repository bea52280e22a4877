import Foundation

/// The table of one condition: a row for each figure, a column for each path, and each figure's ratio to HAProxy.
package enum ResultTable {
    package static func make(_ result: ConditionResult) -> TextTable {
        var table = TextTable(header: [""] + result.columns.map(\.path))
        for figure in result.figures {
            let cells = result.columns.map { cell(figure, in: $0) }
            // Nothing could be measured on this machine, or the row does not apply to any path.
            guard cells.contains(where: { $0 != "-" }) else { continue }
            table.add([figure.title] + cells)
        }
        return table
    }

    /// `26.1 (0.98)`: the median, and its ratio to HAProxy's in the same run; `-` for what was not measured.
    private static func cell(_ figure: Figure, in column: ConditionResult.Column) -> String {
        guard let value = column.median[figure] else { return "-" }
        guard figure.isCompared, let ratio = column.ratio?[figure] else { return number(value) }
        return "\(number(value)) (\(String(format: "%.2f", ratio)))"
    }

    /// Three digits that count, and whole numbers as they are.
    package static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10...: String(format: "%.1f", value)
        case 1...: String(format: "%.2f", value)
        default: String(format: "%.3f", value)
        }
    }
}
