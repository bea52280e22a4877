import Foundation
import Testing

@testable import mqtt_quic_bridge

struct JSONScannerTests {
    @Test(arguments: [
        "0", "-1", "1.5e-7", "1E+2", "\"\"", "\"a\\n\\u00E9\\\\\"", "true", "false", "null", "[1,[2,[3]],{}]",
        "{\"a\":{\"b\":[]},\"c\":null}", " \t\r\n1 ",
    ])
    func valid(text: String) throws {
        let bytes = Array(text.utf8)
        let joined = try JSONScanner.tokens(of: bytes).flatMap { bytes[$0.range] }
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
            try JSONScanner.tokens(of: Array(text.utf8))
        }
    }

    @Test func stringsHaveToBeUTF8() {
        #expect(throws: JSONScanner.Problem(position: 0, expected: "a string of UTF-8")) {
            try JSONScanner.tokens(of: [0x22, 0xFF, 0x22])
        }
    }

    /// A recursive reader would use up its stack.
    @Test func anyDepthIsFine() throws {
        let depth = 200_000
        let text = Array(repeating: UInt8(ascii: "["), count: depth) + Array(repeating: UInt8(ascii: "]"), count: depth)
        #expect(try JSONScanner.tokens(of: text).count == 2 * depth)
    }

    /// No cut or changed text makes it do anything but return or throw, and it accepts nothing that Foundation refuses.
    @Test func everyCutAndEveryByte() throws {
        let text = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":[]}}"#.utf8)
        for index in text.indices {
            #expect(throws: JSONScanner.Problem.self) { try JSONScanner.tokens(of: Array(text[..<index])) }
            for byte in [UInt8(0), 0x22, 0x2C, 0x5C, 0x5D, 0x7D, 0x30, 0xFF] {
                var changed = text
                changed[index] = byte
                guard (try? JSONScanner.tokens(of: changed)) != nil else { continue }
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: Data(changed), options: .fragmentsAllowed)
                }
            }
        }
    }
}
