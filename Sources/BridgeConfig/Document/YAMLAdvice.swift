/// Advice about text that is not YAML: recognizes the usual mistakes by the place where the parser stopped.
enum YAMLAdvice {
    /// `nil` if there is nothing better to say than the parser's own message.
    static func of(problem: String, line: Int, column: Int, in source: SourceText) -> String? {
        let here = source.scalar(line: line, column: column)
        if here == "\t" || leadingBlanks(of: source.line(line)).contains("\t") {
            return "a tab; YAML is indented with spaces"
        }
        if let here, "@`%|>".unicodeScalars.contains(here), problem.contains("cannot start any token") {
            return "a value that begins with \(here) goes in quotes"
        }
        if holdsUnquotedIPv6(source.line(line)) || holdsUnquotedIPv6(source.line(line - 1)) {
            return "an address with brackets goes in quotes: \"[::1]:1883\""
        }
        if problem.contains("mapping values are not allowed") {
            let values = "a value that contains \": \" goes in quotes"
            return "a colon is not allowed here; \(values), and all keys of a map have the same indentation"
        }
        if problem.contains("could not find expected ':'") {
            return "a key without its colon; write \"key: value\""
        }
        return nil
    }

    /// The place of the first character that YAML does not allow anywhere.
    static func placeOfControlCharacter(in source: SourceText) -> YAMLPlace {
        for (line, scalars) in source.lines.enumerated() {
            if let column = scalars.firstIndex(where: isForbidden) {
                return YAMLPlace(line: line + 1, column: column + 1)
            }
        }
        return YAMLPlace(line: 1, column: 1)
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        (scalar.properties.generalCategory == .control && scalar != "\t") || scalar == "\u{FFFE}"
            || scalar == "\u{FFFF}"
    }

    private static func leadingBlanks(of line: [Unicode.Scalar]?) -> ArraySlice<Unicode.Scalar> {
        (line ?? []).prefix { $0 == " " || $0 == "\t" }
    }

    private static func holdsUnquotedIPv6(_ line: [Unicode.Scalar]?) -> Bool {
        guard let line else { return false }
        let text = String(String.UnicodeScalarView(line))
        return text.contains("]:") && !text.contains("\"") && !text.contains("'")
    }
}
