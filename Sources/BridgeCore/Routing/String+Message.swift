extension String {
    /// The text in double quotes, safe for one line of a log or an error even if a stranger wrote it. Characters that
    /// control or hide text (line ends, escapes, direction marks) are shown like `\u{1B}`, and a text of more than
    /// `limit` characters is cut off with `...`.
    package func quotedForMessage(limit: Int = 48) -> String {
        var result = "\""
        for (count, scalar) in unicodeScalars.enumerated() {
            if count == limit { return result + "...\"" }
            if scalar == "\"" || scalar == "\\" { result.append("\\") }
            result.append(scalar: scalar)
        }
        return result + "\""
    }

    /// The text for one line of a terminal, even if a stranger wrote it: a terminal obeys control characters, and others
    /// hide text or turn it round. They are shown like `\u{1B}`.
    package var printable: String {
        unicodeScalars.reduce(into: "") { $0.append(scalar: $1) }
    }

    /// Appends a character, or what it is called if it cannot be shown.
    private mutating func append(scalar: Unicode.Scalar) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            self += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        default:
            unicodeScalars.append(scalar)
        }
    }
}
