import NIOCore

/// Writes JSON on one line, or laid out as cJSON does, which mosquitto_sub uses: objects on several lines with tabs,
/// arrays on one line.
struct JSONWriter {
    let isPretty: Bool
    var output: ByteBuffer
    private var depth = 0
    /// Whether the present object has no members yet.
    private var isFirst = true

    init(isPretty: Bool, output: ByteBuffer) {
        self.isPretty = isPretty
        self.output = output
    }

    mutating func object(_ members: (inout JSONWriter) -> Void) {
        begin()
        members(&self)
        end()
    }

    mutating func member(_ name: String, string value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, number value: some BinaryInteger) {
        key(name)
        output.writeString(String(value))
    }

    /// The next value that is written belongs to this name.
    mutating func key(_ name: String) {
        startMember()
        string(name)
        colon()
    }

    mutating func raw(_ text: String) {
        output.writeString(text)
    }

    mutating func string(_ value: String) {
        output.writeInteger(UInt8(ascii: "\""))
        var rest = value.utf8[...]
        while let index = rest.firstIndex(where: Self.needsEscape) {
            output.writeBytes(rest[..<index])
            output.writeString(Self.escape(rest[index]))
            rest = rest[rest.index(after: index)...]
        }
        output.writeBytes(rest)
        output.writeInteger(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case 0x08: "\\b"
        case 0x0C: "\\f"
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        default: "\\u00" + (byte < 0x10 ? "0" : "1") + String(byte & 0xF, radix: 16)
        }
    }

    /// Writes a part of a value that was read from `bytes`: strings and numbers as they stand there, with new white space.
    mutating func token(_ token: JSONScanner.Token, of bytes: [UInt8]) {
        switch token.kind {
        case .objectStart: begin()
        case .objectEnd: end()
        case .arrayStart:
            output.writeString("[")
            depth += 1
        case .arrayEnd:
            output.writeString("]")
            depth -= 1
        case .colon: colon()
        case .comma: output.writeString(isPretty && token.container == .array ? ", " : ",")
        case .name:
            indent()
            output.writeBytes(bytes[token.range])
        case .scalar: output.writeBytes(bytes[token.range])
        }
    }

    private mutating func startMember() {
        if !isFirst { output.writeString(",") }
        isFirst = false
        indent()
    }

    private mutating func indent() {
        guard isPretty else { return }
        if depth > 0 { output.writeString("\n") }
        output.writeRepeatingByte(UInt8(ascii: "\t"), count: depth)
    }

    private mutating func colon() {
        output.writeString(isPretty ? ":\t" : ":")
    }

    private mutating func begin() {
        output.writeString("{")
        depth += 1
        isFirst = true
    }

    private mutating func end() {
        depth -= 1
        if isPretty {
            output.writeString("\n")
            output.writeRepeatingByte(UInt8(ascii: "\t"), count: depth)
        }
        output.writeString("}")
        isFirst = false
    }
}
