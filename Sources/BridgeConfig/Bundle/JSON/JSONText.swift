/// A JSON text (RFC 8259) that is read into values whose places are known, so that a message about any of them can name
/// its line. It is strict: no comments, no trailing commas, no name twice in an object.
///
/// Foundation's JSONSerialization knows no places of values, takes one of two members with the same name without a word, and
/// accepts commas before a closing bracket.
struct JSONText {
    /// Objects and lists within each other, at most.
    static let maximumDepth = 32

    private let bytes: [UInt8]
    private let name: String

    /// - Parameter name: Name of the file, for messages.
    init(_ bytes: [UInt8], name: String) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        self.name = name
    }

    /// The value that the text is. The error never quotes a value.
    func parse() throws(ConfigurationError) -> JSONNode {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw ConfigurationError(origin: Origin(.nowhere(name: name)), message: "is not UTF-8 text")
        }
        var parser = JSONParser(bytes)
        do {
            return try parser.parse()
        } catch {
            throw ConfigurationError(origin: origin(at: error.offset), message: "is not JSON: \(error.message)")
        }
    }

    /// Where a value of this text begins. Line and column count from 1, and the column counts characters.
    func origin(of node: JSONNode) -> Origin { origin(at: node.offset) }

    private func origin(at offset: Int) -> Origin {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = before[start...].count { $0 & 0xC0 != 0x80 } + 1
        return Origin(.file(name: name, line: line, column: column))
    }
}
