extension String {
    /// The text in double quotes, safe for one line of a log or an error even if a stranger wrote it. Characters that
    /// control or hide text (line ends, escapes, direction marks) are shown like `\u{1B}`, and a text of more than
    /// `limit` characters is cut off with `...`.
    package func quotedForMessage(limit: Int = 48) -> String {
        var result = "\""
        var count = 0
        for scalar in unicodeScalars {
            if count == limit {
                return result + "...\""
            }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            default:
                if scalar == "\"" || scalar == "\\" {
                    result.append("\\")
                }
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
