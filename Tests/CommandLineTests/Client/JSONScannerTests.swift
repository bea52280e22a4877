import Foundation
import Testing

@testable import mqtt_quic_bridge

struct JSONScannerTests {
    private static func tokens(of bytes: [UInt8]) throws(JSONScanner.Problem) -> [JSONScanner.Token] {
        var tokens: [JSONScanner.Token] = []
        try JSONScanner.scan(bytes) { tokens.append($0) }
        return tokens
    }

    @Test(arguments: [
        "0", "-1", "1.5e-7", "1E+2", "\"\"", "\"a\\n\\u00E9\\\\\"", "true", "false", "null", "[1,[2,[3]],{}]",
        "{\"a\":{\"b\":[]},\"c\":null}", " \t\r\n1 ",
    ])
    func valid(text: String) throws {
        let bytes = Array(text.utf8)
        let joined = try Self.tokens(of: bytes).flatMap { bytes[$0.range] }
        let stripped = bytes.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        #expect(Array(joined) == stripped)
    }

    @Test(arguments: [
        ("", 0, "a value"), ("{", 1, "a name in double quotes"), ("[", 1, "a value"), ("[1", 2, "a comma or ]"),
        ("{\"a\"", 4, "a colon"), ("{\"a\":1", 6, "a comma or }"), ("[1,]", 3, "a value"),
        ("{\"a\":1,}", 7, "a name in double quotes"), ("{a:1}", 1, "a name in double quotes"), ("1 2", 2, "the end"),
        ("]", 0, "a value"), ("[1}", 2, "a comma or ]"), ("{\"a\":1]", 6, "a comma or }"), ("01", 1, "the end"),
        ("-", 1, "a digit"), ("1.", 2, "a digit"), ("1e", 2, "a digit"), ("+1", 0, "a value"), ("tru", 0, "true"),
        ("\"a", 2, "the closing quote of a string"), ("\"\\x\"", 2, "an escape, such as \\n"),
        ("\"\\u12g4\"", 5, "a hexadecimal digit"), ("\"\n\"", 1, "an escape instead of a control character"),
        ("nan", 0, "null"), ("\"\\", 2, "an escape, such as \\n"), ("'a'", 0, "a value"),
    ])
    func invalid(text: String, position: Int, expected: String) {
        #expect(throws: JSONScanner.Problem(position: position, expected: expected)) {
            try Self.tokens(of: Array(text.utf8))
        }
    }

    @Test func stringsHaveToBeUTF8() {
        #expect(throws: JSONScanner.Problem(position: 0, expected: "a string of UTF-8")) {
            try Self.tokens(of: [0x22, 0xFF, 0x22])
        }
    }

    @Test func depthIsLimited() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(String(repeating: "[", count: depth).utf8) + Array(String(repeating: "]", count: depth).utf8)
        }
        let limit = JSONScanner.maximumDepth
        #expect(try Self.tokens(of: nested(limit)).count == 2 * limit)
        for depth in [limit + 1, 200_000] {
            let problem = #expect(throws: JSONScanner.Problem.self) { try Self.tokens(of: nested(depth)) }
            #expect(problem?.position == limit)
            #expect(problem?.description.contains("128 objects and lists within each other") == true)
        }
    }

    /// Foundation takes all of these, which is why it does not judge here what JSON is.
    @Test(arguments: ["{\"a\":1,}", "[1,]", "\u{FEFF}[1]"])
    func isStricterThanFoundation(text: String) {
        #expect(throws: JSONScanner.Problem.self) { try Self.tokens(of: Array(text.utf8)) }
    }

    /// No cut or changed text makes it do anything but return or throw, and it accepts nothing that Foundation refuses.
    @Test func everyCutAndEveryByte() throws {
        let text = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":[]}}"#.utf8)
        for index in text.indices {
            #expect(throws: JSONScanner.Problem.self) { try Self.tokens(of: Array(text[..<index])) }
            for byte in [UInt8(0), 0x22, 0x2C, 0x5C, 0x5D, 0x7D, 0x30, 0xFF] {
                var changed = text
                changed[index] = byte
                guard (try? Self.tokens(of: changed)) != nil else { continue }
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: Data(changed), options: .fragmentsAllowed)
                }
            }
        }
    }
}
