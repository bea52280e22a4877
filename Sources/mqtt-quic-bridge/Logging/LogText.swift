/// Makes text from devices and peers safe for one log line: it cannot begin a new line, colour a terminal or reverse the
/// direction of writing.
enum LogText {
    /// Longest value, in Unicode scalars; the rest is cut off. A client id may be 64 KB long.
    static let maximumLength = 512

    /// A value in a text log: unchanged if it is a plain word, otherwise in double quotes.
    static func value(_ text: String) -> String {
        isWord(text) ? text : quoted(text)
    }

    /// A message in a text log, without quotes.
    static func message(_ text: String) -> String {
        var result = ""
        append(text, to: &result, quote: nil, escape: logEscape)
        return result
    }

    /// The text, or its beginning with "..." if it is longer than `length` Unicode scalars.
    static func cut(_ text: String, to length: Int) -> String {
        guard text.unicodeScalars.count > length else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(length))) + "..."
    }

    /// A JSON string with its quotes (RFC 8259 7).
    static func json(_ text: String) -> String {
        var result = "\""
        append(text, to: &result, quote: "\"", escape: jsonEscape)
        return result + "\""
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        append(text, to: &result, quote: "\"", escape: logEscape)
        return result + "\""
    }

    private static func append(
        _ text: String, to result: inout String, quote: Unicode.Scalar?, escape: (Unicode.Scalar) -> String
    ) {
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == maximumLength {
                result += "..."
                return
            }
            if needsEscape(scalar) {
                result += escape(scalar)
            } else if quote != nil, scalar == "\\" || scalar == quote {
                result += "\\"
                result.unicodeScalars.append(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar != " " && scalar != "\"" && scalar != "=" && scalar != "\\" && !needsEscape(scalar)
                    && scalar.properties.generalCategory != .spaceSeparator
            } && text.unicodeScalars.count <= maximumLength
    }

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func logEscape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16))}"
        }
    }

    private static func jsonEscape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: String(scalar).utf16.map(jsonEscape).joined()
        }
    }

    private static func jsonEscape(_ unit: UInt16) -> String {
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
