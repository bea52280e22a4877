/// The output format of `sub -F`: the language of mosquitto_sub 2.0.
struct MessageFormat: Equatable, Sendable {
    /// How wide a field is written.
    struct Layout: Equatable, Sendable {
        /// In bytes.
        static let widthLimit = 65_535

        /// Whether blanks follow a short value instead of preceding it.
        var isLeftAligned = false
        var isZeroPadded = false
        /// The field has at least this many bytes; 0 if it is as wide as its value.
        var width = 0
        /// The most bytes of a text that are written.
        var maximum: Int?
    }

    enum Field: UInt8, CaseIterable, Sendable {
        case topicAlias = 0x41  // A
        case contentType = 0x43  // C
        case correlationData = 0x44  // D
        case expiry = 0x45  // E
        case payloadFormat = 0x46  // F
        case isoTime = 0x49  // I
        case jsonPayload = 0x4A  // J
        case userProperties = 0x50  // P
        case responseTopic = 0x52  // R
        case subscriptionIdentifier = 0x53  // S
        case unixTime = 0x55  // U
        case hexPayloadUpper = 0x58  // X
        case json = 0x6A  // j
        case length = 0x6C  // l
        case packetID = 0x6D  // m
        case payload = 0x70  // p
        case qos = 0x71  // q
        case retain = 0x72  // r
        case topic = 0x74  // t
        case hexPayload = 0x78  // x
    }

    enum Part: Equatable, Sendable {
        case literal([UInt8])
        case field(Field, Layout)
        /// The format for strftime(3): a percent sign and one character.
        case time(String)
        case nanoseconds
    }

    struct ParseError: Error, Equatable, CustomStringConvertible {
        /// In full sentences, with the position in the format.
        var description: String
    }

    private(set) var parts: [Part] = []

    /// - Throws: If the text has an incomplete or unknown sequence; the error says which and where.
    init(parsing text: String) throws(ParseError) {
        var reader = Reader(bytes: Array(text.utf8))
        while let byte = reader.next() {
            switch byte {
            case UInt8(ascii: "%"): append(try Self.field(&reader))
            case UInt8(ascii: "@"): append(try Self.time(&reader))
            case UInt8(ascii: "\\"): append(try Self.escape(&reader))
            default: append(.literal([byte]))
            }
        }
    }

    private mutating func append(_ part: Part) {
        if case .literal(let bytes) = part, case .literal(let before) = parts.last {
            parts[parts.count - 1] = .literal(before + bytes)
        } else {
            parts.append(part)
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0
        /// Where the present sequence begins.
        var start = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func next() -> UInt8? {
            guard let byte = peek else { return nil }
            start = position
            position += 1
            return byte
        }

        mutating func following() throws(ParseError) -> UInt8 {
            guard let byte = peek else { throw error("is incomplete: the format ends there") }
            position += 1
            return byte
        }

        mutating func skip(_ byte: UInt8) -> Bool {
            guard peek == byte else { return false }
            position += 1
            return true
        }

        mutating func number() throws(ParseError) -> Int? {
            var value: Int?
            while let digit = peek, (0x30...0x39).contains(digit) {
                position += 1
                let sum = (value ?? 0) * 10 + Int(digit - 0x30)
                guard sum <= Layout.widthLimit else {
                    throw error("is wider than \(Layout.widthLimit), the widest field")
                }
                value = sum
            }
            return value
        }

        func error(_ what: String) -> ParseError {
            let sequence = String(decoding: bytes[start..<min(bytes.count, position)], as: UTF8.self)
            return ParseError(description: "\"\(sequence)\" at byte \(start + 1) \(what)")
        }
    }

    private static func field(_ reader: inout Reader) throws(ParseError) -> Part {
        var layout = Layout()
        layout.isLeftAligned = reader.skip(UInt8(ascii: "-"))
        layout.isZeroPadded = reader.skip(UInt8(ascii: "0"))
        layout.width = try reader.number() ?? 0
        if reader.skip(UInt8(ascii: ".")) { layout.maximum = try reader.number() ?? 0 }
        let name = try reader.following()
        if name == UInt8(ascii: "%") { return .literal([name]) }
        guard let field = Field(rawValue: name) else {
            let names = Field.allCases.map { "%\(Character(Unicode.Scalar($0.rawValue)))" }.joined(separator: " ")
            throw reader.error("is not a field; the fields are %% \(names)")
        }
        return .field(field, layout)
    }

    private static func time(_ reader: inout Reader) throws(ParseError) -> Part {
        let name = try reader.following()
        switch name {
        case UInt8(ascii: "@"): return .literal([name])
        case UInt8(ascii: "N"): return .nanoseconds
        case 0x21...0x7E: return .time("%\(Character(Unicode.Scalar(name)))")
        default: throw reader.error("is not a part of a time; after @ goes one letter that strftime(3) knows after %")
        }
    }

    private static let escapes: [UInt8: UInt8] = [
        UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "0"): 0, UInt8(ascii: "a"): 7, UInt8(ascii: "e"): 0x1B,
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 0x0B,
    ]

    private static func escape(_ reader: inout Reader) throws(ParseError) -> Part {
        guard let byte = escapes[try reader.following()] else {
            throw reader.error(#"is not an escape; those are \\ \0 \a \e \n \r \t \v"#)
        }
        return .literal([byte])
    }
}
