/// Text that goes into packets and messages.
enum TextValue {
    /// MQTT 1.5.3 and 1.5.4: a string is at most 65535 bytes of UTF-8.
    static let maximumSize = 65_535

    /// What keeps `text` from being used; `nil` where nothing does. Does not quote it.
    static func problem(with text: String) -> String? {
        if text.isEmpty { return "is empty; leave the key out to use the default" }
        if text.utf8.count > maximumSize { return "is longer than \(maximumSize) bytes, which MQTT allows" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "holds a line break or another control character"
        }
        return nil
    }

    /// `<your password>`: what documentation leaves for people to fill in.
    static func isPlaceholder(_ text: String) -> Bool {
        text.hasPrefix("<") && text.hasSuffix(">")
    }

    /// Fit to stand in one line of a terminal.
    static func shortened(_ text: String) -> String {
        let visible = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(81).map {
                    switch $0.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
                    default: $0
                    }
                }))
        return text.unicodeScalars.count > 80 ? String(visible.prefix(80)) + "..." : visible
    }
}
