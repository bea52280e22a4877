/// Text from devices and peers, made fit for one line of a log: nothing in it can begin a new line, colour a terminal
/// or turn the direction of writing around.
enum LogText {
    /// Unicode scalars of one value; what is longer is cut. A client id may be 64 KB long.
    static let maximumLength = 512

    /// For text logs: as it is where it is a plain word, else in double quotes.
    static func value(_ text: String) -> String {
        isWord(text) ? text : quoted(text)
    }

    /// For text logs: a message, unquoted.
    static func message(_ text: String) -> String {
        var result = ""
        append(text, to: &result, quote: nil, escape: logEscape)
        return result
    }

    /// A JSON string, quotes included (RFC 8259 7).
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
