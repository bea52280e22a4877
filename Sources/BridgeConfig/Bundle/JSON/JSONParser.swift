/// Takes the bytes of a JSON text apart. The bytes are UTF-8.
struct JSONParser {
    struct Problem: Error {
        /// In bytes from the start of the text.
        var offset: Int
        var message: String
    }

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func parse() throws(Problem) -> JSONNode {
        let node = try value()
        skipBlanks()
        guard next == nil else { throw problem("text follows after the end of the value") }
        return node
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func problem(_ message: String) -> Problem { Problem(offset: index, message: message) }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private mutating func value() throws(Problem) -> JSONNode {
        skipBlanks()
        let offset = index
        return JSONNode(content: try content(), offset: offset)
    }

    private mutating func content() throws(Problem) -> JSONNode.Content {
        switch next {
        case UInt8(ascii: "{")?: return try nested { parser throws(Problem) in .object(try parser.members()) }
        case UInt8(ascii: "[")?: return try nested { parser throws(Problem) in .list(try parser.items()) }
        case UInt8(ascii: "\"")?: return .string(try string())
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte):
            return .number(try number())
        case nil: throw problem("it ends where a value is expected")
        default: return try word()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(Problem) -> JSONNode.Content
    ) throws(Problem) -> JSONNode.Content {
        guard depth < JSONText.maximumDepth else {
            throw problem("more than \(JSONText.maximumDepth) objects and lists within each other")
        }
        depth += 1
        index += 1
        let content = try body(&self)
        depth -= 1
        return content
    }

    // MARK: - Objects and lists

    private mutating func members() throws(Problem) -> [JSONNode.Member] {
        var members: [JSONNode.Member] = []
        var names: Set<String> = []
        try list(endingWith: "}") { parser throws(Problem) in
            let start = parser.index
            guard parser.next == UInt8(ascii: "\"") else {
                throw parser.problem("expected a name in double quotes, or }")
            }
            let name = try parser.string()
            guard names.insert(name).inserted else {
                throw Problem(offset: start, message: "this name occurs twice in the object")
            }
            parser.skipBlanks()
            guard parser.next == UInt8(ascii: ":") else { throw parser.problem("expected a colon after the name") }
            parser.index += 1
            members.append(JSONNode.Member(name: name, value: try parser.value()))
        }
        return members
    }

    private mutating func items() throws(Problem) -> [JSONNode] {
        var items: [JSONNode] = []
        try list(endingWith: "]") { parser throws(Problem) in items.append(try parser.value()) }
        return items
    }

    private mutating func list(
        endingWith end: Unicode.Scalar, _ item: (inout JSONParser) throws(Problem) -> Void
    ) throws(Problem) {
        let end = UInt8(ascii: end)
        skipBlanks()
        if next == end {
            index += 1
            return
        }
        while true {
            skipBlanks()
            try item(&self)
            skipBlanks()
            switch next {
            case UInt8(ascii: ",")?: index += 1
            case end?:
                index += 1
                return
            case nil: throw problem("it ends before its closing \(end == UInt8(ascii: "}") ? "}" : "]")")
            default: throw problem("expected a comma or \(end == UInt8(ascii: "}") ? "}" : "]")")
            }
        }
    }

    // MARK: - Scalars

    private mutating func word() throws(Problem) -> JSONNode.Content {
        let words: [(String, JSONNode.Content)] = [
            ("true", .boolean(true)), ("false", .boolean(false)), ("null", .null),
        ]
        for (word, content) in words where bytes[index...].starts(with: word.utf8) {
            index += word.utf8.count
            return content
        }
        throw problem("expected a value: a text in double quotes, a number, true, false, null, { or [")
    }

    private mutating func number() throws(Problem) -> String {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        let first = index
        try digits()
        if bytes[first] == UInt8(ascii: "0"), index > first + 1 {
            throw Problem(offset: start, message: "a number does not begin with 0")
        }
        if next == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Problem) {
        let start = index
        while let byte = next, (0x30...0x39).contains(byte) { index += 1 }
        if index == start { throw problem("expected a digit") }
    }

    private mutating func string() throws(Problem) -> String {
        let start = index
        index += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: Array(String(try escaped()).utf8))
            case 0..<0x20:
                throw problem("a line break or another control character within a text; is its closing quote missing?")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw Problem(offset: start, message: "this text has no closing quote")
    }

    private mutating func escaped() throws(Problem) -> Unicode.Scalar {
        let start = index
        index += 1
        guard let byte = next else { throw problem("it ends within a text") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw Problem(offset: start, message: "a backslash is followed by one of \" \\ / b f n r t u")
        }
        let first = try hexadecimal()
        guard first & 0xFC00 == 0xD800, bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
            return try scalar(first, start)
        }
        index += 2
        let second = try hexadecimal()
        guard second & 0xFC00 == 0xDC00 else { return try scalar(first, start) }
        return try scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF, start)
    }

    private func scalar(_ value: UInt32, _ start: Int) throws(Problem) -> Unicode.Scalar {
        guard let scalar = Unicode.Scalar(value) else {
            throw Problem(offset: start, message: "half of a surrogate pair is not a character")
        }
        return scalar
    }

    private mutating func hexadecimal() throws(Problem) -> UInt32 {
        guard bytes.count - index >= 4,
            bytes[index..<index + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16)
        else { throw problem("expected four hexadecimal digits after \\u") }
        index += 4
        return value
    }
}
