/// Rows of cells, the first of which is a heading.
package struct TextTable: Sendable {
    package let header: [String]
    package private(set) var rows: [[String]] = []

    package init(header: [String]) {
        self.header = header
    }

    package mutating func add(_ row: [String]) {
        precondition(row.count == header.count, "a row has a cell for every column")
        rows.append(row)
    }

    /// Columns are as wide as their longest cell: the first one is aligned to the left, all others to the right.
    package var text: String {
        let lines = [header] + rows
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            let padded = zip(cells, widths).enumerated().map { column, cell in
                let gap = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + gap : gap + cell.0
            }
            return padded.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    package var markdown: String {
        let rule = header.indices.map { $0 == 0 ? "---" : "---:" }
        return ([header, rule] + rows).map { cells in
            let escaped = cells.map {
                $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
            }
            return "| \(escaped.joined(separator: " | ")) |"
        }.joined(separator: "\n")
    }
}
