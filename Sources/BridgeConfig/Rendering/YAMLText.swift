/// Writes YAML-lite line by line.
package struct YAMLText {
    private(set) var text = ""
    /// Where values come from, by key path. A value from an environment variable or a profile gets a comment with its
    /// name.
    let origins: [String: Origin]

    init(origins: [String: Origin]) {
        self.origins = origins
    }

    /// Begins a section, or a list whose items follow; indented as `path` (`uplink`, `uplink.identity`) requires.
    mutating func section(_ path: String) {
        let note = origins[path]?.remark.map { "  # from \($0)" } ?? ""
        text += "\(Self.indentation(of: path))\(Section.name(of: path)):\(note)\n"
    }

    /// Writes a key and its value; indented as `path` (`uplink.host`) requires. Writes nothing if `value` is `nil`.
    mutating func pair(_ path: String, _ value: String?, comment: String? = nil) {
        guard let value else { return }
        let remark = origins[path]?.remark.map { "from \($0)" }
        let notes = [comment, remark].compactMap { $0 }.joined(separator: ", ")
        text +=
            "\(Self.indentation(of: path))\(Section.name(of: path)): \(value)\(notes.isEmpty ? "" : "  # \(notes)")\n"
    }

    private static func indentation(of path: String) -> String {
        String(repeating: "  ", count: path.count { $0 == "." })
    }

    mutating func line(_ line: String) {
        text += line + "\n"
    }

    /// The text without quotes if YAML reads it as the same text, otherwise in double quotes.
    package static func scalar(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    static func list(_ items: [String]) -> String {
        "[\(items.map(quoted).joined(separator: ", "))]"
    }

    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where needsEscape(scalar): result += escape(scalar)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, first.properties.isAlphabetic || first == "/" else { return false }
        if ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(text.lowercased()) { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "-_./".unicodeScalars.contains(scalar))
        }
    }

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let length = scalar.value > 0xFFFF ? 8 : 4
        return (length == 8 ? "\\U" : "\\u") + String(repeating: "0", count: length - digits.count) + digits
    }
}
