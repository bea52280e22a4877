/// Checks text that goes into MQTT packets and messages.
enum TextValue {
    /// MQTT 1.5.3 and 1.5.4: a string is at most 65535 bytes of UTF-8.
    static let maximumSize = 65_535

    /// Why `text` cannot be used; `nil` if it can. The message does not quote the text.
    static func problem(with text: String) -> String? {
        if text.isEmpty { return "is empty; leave the key out to use the default" }
        if text.utf8.count > maximumSize { return "is longer than \(maximumSize) bytes, which MQTT allows" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "contains a line break or another control character"
        }
        return nil
    }

    /// Whether the text is a placeholder from documentation, such as `<your password>`.
    static func isPlaceholder(_ text: String) -> Bool {
        text.hasPrefix("<") && text.hasSuffix(">")
    }

    /// The text, cut to 80 characters and without control characters, so that it fits in one line of a terminal.
    static func shortened(_ text: String) -> String {
        let visible = printable(String(String.UnicodeScalarView(text.unicodeScalars.prefix(80))))
        return text.unicodeScalars.count > 80 ? visible + "..." : visible
    }

    /// The text without what ends a line or what a terminal obeys.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    switch $0.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
                    default: $0
                    }
                }))
    }
}
