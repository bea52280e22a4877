import NIOCore

/// Bytes in a readable form: `"10 [ <'MQTT'> 04 02 003C <'id'> ]"`.
///
/// Pairs of hexadecimal digits are bytes and `'...'` is UTF-8. `[...]` puts the length of what it holds in front as a
/// variable byte integer, `<...>` as two bytes. Mistakes trap, because only test tables use this.
struct Bytes: Sendable, Equatable, ExpressibleByStringLiteral {
    let array: [UInt8]

    init(stringLiteral text: String) {
        var rest = Substring(text)
        self.array = Self.parse(&rest, until: nil)
    }

    init(_ array: [UInt8]) { self.array = array }

    var buffer: ByteBuffer { ByteBuffer(bytes: array) }

    private static func parse(_ text: inout Substring, until end: Character?) -> [UInt8] {
        var bytes: [UInt8] = []
        while let character = text.popFirst() {
            switch character {
            case end: return bytes
            case " ", "\n": continue
            case "'":
                bytes += text.prefix { $0 != "'" }.utf8
                text = text.drop { $0 != "'" }.dropFirst()
            case "[":
                let inner = parse(&text, until: "]")
                bytes += variableByteInteger(inner.count) + inner
            case "<":
                let inner = parse(&text, until: ">")
                bytes += [UInt8(inner.count >> 8), UInt8(inner.count & 0xFF)] + inner
            default:
                let digits = String(character) + String(text.removeFirst())
                bytes.append(UInt8(digits, radix: 16)!)
            }
        }
        precondition(end == nil, "unbalanced brackets")
        return bytes
    }

    private static func variableByteInteger(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }
}
