/// Checks that bytes are one JSON value (RFC 8259) and splits them into tokens. Foundation's JSONSerialization cannot stand
/// in for it: it accepts commas before a closing bracket and other encodings, and loses how numbers are written and in
/// which order members come.
///
/// It keeps no tokens and needs no recursion, so what it needs does not grow with the payload.
struct JSONScanner {
    struct Problem: Error, Equatable, CustomStringConvertible {
        /// Counts from 0.
        var position: Int
        var expected: String

        var description: String { "at byte \(position + 1), \(expected) was expected" }
    }

    enum Container: Equatable {
        case none, array, object
    }

    struct Token: Equatable {
        enum Kind: Equatable {
            case objectStart, objectEnd, arrayStart, arrayEnd, comma, colon
            /// The name of a member of an object.
            case name
            /// A string that is a value, a number, `true`, `false` or `null`.
            case scalar
        }

        var kind: Kind
        var range: Range<Int>
        /// What the token is directly inside of.
        var container: Container
    }

    /// Objects and lists within each other, at most. With `--pretty` each level indents every line below it, so that a short
    /// payload with many levels would become a text of gigabytes.
    static let maximumDepth = 128

    /// - Parameter body: Gets each token, also of a text that turns out not to be JSON at a later one.
    static func scan(_ bytes: [UInt8], _ body: (Token) -> Void = { _ in }) throws(Problem) {
        try withoutActuallyEscaping(body) { body throws(Problem) in
            var scanner = JSONScanner(bytes: bytes, body: body)
            try scanner.scan()
        }
    }

    /// What may come next.
    private enum State {
        case value
        /// A value, or the end of an empty array.
        case firstElement
        /// A name, or the end of an empty object.
        case firstKey
        case key
        case colon
        case commaOrEnd
        case end
    }

    private let bytes: [UInt8]
    private var position = 0
    private var containers: [Container] = []
    private let body: (Token) -> Void

    private init(bytes: [UInt8], body: @escaping (Token) -> Void) {
        self.bytes = bytes
        self.body = body
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func scan() throws(Problem) {
        var state = State.value
        while true {
            skipWhiteSpace()
            guard let byte else {
                guard state == .end else { throw problem(state) }
                return
            }
            state = try step(state, byte)
        }
    }

    private mutating func step(_ state: State, _ byte: UInt8) throws(Problem) -> State {
        switch (state, byte) {
        case (.firstElement, UInt8(ascii: "]")),
            (.commaOrEnd, UInt8(ascii: "]")) where containers.last == .array:
            return leave(.arrayEnd)
        case (.firstKey, UInt8(ascii: "}")),
            (.commaOrEnd, UInt8(ascii: "}")) where containers.last == .object:
            return leave(.objectEnd)
        case (.commaOrEnd, UInt8(ascii: ",")):
            single(.comma)
            return containers.last == .object ? .key : .value
        case (.firstKey, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")):
            try string(.name)
            return .colon
        case (.colon, UInt8(ascii: ":")):
            single(.colon)
            return .value
        case (.value, _), (.firstElement, _):
            return try value(byte)
        default:
            throw problem(state)
        }
    }

    private mutating func value(_ byte: UInt8) throws(Problem) -> State {
        switch byte {
        case UInt8(ascii: "{"):
            try enter(.object, .objectStart)
            return .firstKey
        case UInt8(ascii: "["):
            try enter(.array, .arrayStart)
            return .firstElement
        case UInt8(ascii: "\""): try string(.scalar)
        case UInt8(ascii: "-"), 0x30...0x39: try number()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        default: throw problem(.value)
        }
        return containers.isEmpty ? .end : .commaOrEnd
    }

    private var container: Container { containers.last ?? .none }

    private mutating func single(_ kind: Token.Kind) {
        body(Token(kind: kind, range: position..<position + 1, container: container))
        position += 1
    }

    private mutating func enter(_ inner: Container, _ kind: Token.Kind) throws(Problem) {
        guard containers.count < Self.maximumDepth else {
            let expected = "an end of the \(Self.maximumDepth) objects and lists within each other, the most here,"
            throw Problem(position: position, expected: expected)
        }
        single(kind)
        containers.append(inner)
    }

    private mutating func leave(_ kind: Token.Kind) -> State {
        containers.removeLast()
        single(kind)
        return containers.isEmpty ? .end : .commaOrEnd
    }

    private func scalar(_ kind: Token.Kind = .scalar, from start: Int) {
        body(Token(kind: kind, range: start..<position, container: container))
    }

    private mutating func skipWhiteSpace() {
        while let byte, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func problem(_ state: State) -> Problem {
        let expected =
            switch state {
            case .value, .firstElement: "a value"
            case .firstKey, .key: "a name in double quotes"
            case .colon: "a colon"
            case .commaOrEnd: container == .object ? "a comma or }" : "a comma or ]"
            case .end: "the end"
            }
        return Problem(position: position, expected: expected)
    }
}

// MARK: - Scalars

extension JSONScanner {
    private mutating func word(_ word: StaticString) throws(Problem) {
        let start = position
        let count = word.utf8CodeUnitCount
        let isEqual = word.withUTF8Buffer { bytes[start...].starts(with: $0) }
        guard isEqual else { throw Problem(position: start, expected: "\(word)") }
        position += count
        scalar(from: start)
    }

    private mutating func number() throws(Problem) {
        let start = position
        if byte == UInt8(ascii: "-") { position += 1 }
        if byte == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if byte == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            position += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        scalar(from: start)
    }

    private mutating func digits() throws(Problem) {
        let start = position
        while let byte, (0x30...0x39).contains(byte) { position += 1 }
        guard position > start else { throw Problem(position: position, expected: "a digit") }
    }

    private mutating func string(_ kind: Token.Kind) throws(Problem) {
        let start = position
        position += 1
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard String(validating: bytes[start..<position], as: UTF8.self) != nil else {
                    throw Problem(position: start, expected: "a string of UTF-8")
                }
                return scalar(kind, from: start)
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw Problem(position: position, expected: "an escape instead of a control character")
            default: position += 1
            }
        }
        throw Problem(position: position, expected: "the closing quote of a string")
    }

    private mutating func escape() throws(Problem) {
        position += 1
        guard let byte, Array("\"\\/bfnrtu".utf8).contains(byte) else {
            throw Problem(position: position, expected: "an escape, such as \\n")
        }
        position += 1
        guard byte == UInt8(ascii: "u") else { return }
        for _ in 0..<4 {
            guard let digit = self.byte, Character(Unicode.Scalar(digit)).isHexDigit else {
                throw Problem(position: position, expected: "a hexadecimal digit")
            }
            position += 1
        }
    }
}
