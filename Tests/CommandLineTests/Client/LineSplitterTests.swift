import NIOCore
import Testing

@testable import mqtt_quic_bridge

struct LineSplitterTests {
    /// The lines, when the bytes come in pieces of `size`.
    private static func lines(_ bytes: [UInt8], size: Int, maximumLength: Int = 100) throws -> [[UInt8]] {
        var splitter = LineSplitter(maximumLength: maximumLength)
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            splitter.append(ByteBuffer(bytes: rest.prefix(size)))
            rest = rest.dropFirst(size)
            while let line = try splitter.next() { lines.append(Array(line.readableBytesView)) }
        }
        if let last = splitter.rest() { lines.append(Array(last.readableBytesView)) }
        return lines
    }

    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n", [""]), ("\n\na\n", ["", "", "a"]),
        ("a\r\n", ["a\r"]), ("é😀\nx", ["é😀", "x"]),
    ])
    func linesInAnyPieces(text: String, expected: [String]) throws {
        for size in 1...max(1, text.utf8.count) {
            let lines = try Self.lines(Array(text.utf8), size: size)
            #expect(lines.map { String(decoding: $0, as: UTF8.self) } == expected)
        }
    }

    @Test func anyBytesButTheLineBreak() throws {
        let bytes = (0...255).map { UInt8($0) }.filter { $0 != 10 }
        #expect(try Self.lines(bytes + [10] + bytes, size: 7, maximumLength: 255) == [bytes, bytes])
    }

    @Test(arguments: [1, 3, 1_000])
    func aLineHasALimit(size: Int) throws {
        let longest = [UInt8](repeating: 0x61, count: 10)
        #expect(try Self.lines(longest + [10] + longest, size: size, maximumLength: 10) == [longest, longest])
        #expect(throws: LineSplitter.TooLong(line: 2)) {
            try Self.lines(longest + [10] + longest + [0x61, 10], size: size, maximumLength: 10)
        }
        #expect(throws: LineSplitter.TooLong(line: 1)) {
            try Self.lines(longest + [0x61], size: size, maximumLength: 10)
        }
    }
}
