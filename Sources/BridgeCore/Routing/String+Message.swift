extension String {
    /// The text in double quotes, fit for one line of a log or an error whoever wrote it: characters that control or
    /// hide (line ends, escapes, direction marks) are shown as `\u{1B}`, and beyond `limit` characters it ends in `...`.
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
