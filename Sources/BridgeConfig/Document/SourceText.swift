/// The lines of a YAML text, counted as YAML counts them, so that a place that the parser names can be inspected.
struct SourceText {
    /// The lines without their line breaks.
    let lines: [[Unicode.Scalar]]

    init(_ text: String) {
        var lines: [[Unicode.Scalar]] = [[]]
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lines.append([])
            default: lines[lines.count - 1].append(scalar)
            }
            previous = scalar
        }
        self.lines = lines
    }

    /// The character at a place; line and column count from 1. `nil` outside the text.
    func scalar(line: Int, column: Int) -> Unicode.Scalar? {
        guard let scalars = self.line(line), column >= 1, column <= scalars.count else { return nil }
        return scalars[column - 1]
    }

    func line(_ line: Int) -> [Unicode.Scalar]? {
        line >= 1 && line <= lines.count ? lines[line - 1] : nil
    }
}
