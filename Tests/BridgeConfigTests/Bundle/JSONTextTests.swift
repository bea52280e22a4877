import Testing

@testable import BridgeConfig

@Suite("JSON of a bundle")
struct JSONTextTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        var text: String
        var place: String
        var message: String
        var testDescription: String { text }
    }

    static let mistakes: [Wrong] = [
        Wrong(text: "", place: "1:1", message: "it ends where a value is expected"),
        Wrong(text: "{", place: "1:2", message: "expected a name in double quotes, or }"),
        Wrong(text: "{\n  \"a\": 1,\n}", place: "3:1", message: "expected a name in double quotes, or }"),
        Wrong(text: "{\"a\" 1}", place: "1:6", message: "expected a colon after the name"),
        Wrong(text: "{\"a\": 1 \"b\": 2}", place: "1:9", message: "expected a comma or }"),
        Wrong(text: "{\"a\": 1,\n \"a\": 2}", place: "2:2", message: "this name occurs twice in the object"),
        Wrong(text: "[1, 2", place: "1:6", message: "it ends before its closing ]"),
        Wrong(text: "[1] x", place: "1:5", message: "text follows after the end of the value"),
        Wrong(text: "// note\n{}", place: "1:1", message: "expected a value"),
        Wrong(text: "'a'", place: "1:1", message: "expected a value"),
        Wrong(text: "01", place: "1:1", message: "a number does not begin with 0"),
        Wrong(text: "[1.]", place: "1:4", message: "expected a digit"),
        Wrong(text: "-", place: "1:2", message: "expected a digit"),
        Wrong(text: "\"ä\\x\"", place: "1:3", message: "a backslash is followed by one of"),
        Wrong(text: "\"\\u12G4\"", place: "1:4", message: "expected four hexadecimal digits"),
        Wrong(text: "\"\\ud83d\"", place: "1:2", message: "half of a surrogate pair"),
        Wrong(text: "\"\\ud83d\\u0041\"", place: "1:2", message: "half of a surrogate pair"),
        Wrong(
            text: "{\"a\": \"b\n\"}", place: "1:9", message: "a line break or another control character within a text"),
        Wrong(text: "[\"abc", place: "1:2", message: "this text has no closing quote"),
        Wrong(text: "\"\\", place: "1:3", message: "it ends within a text"),
        Wrong(
            text: String(repeating: "[", count: 33), place: "1:33",
            message: "more than 32 objects and lists within each other"),
    ]

    @Test("A message names line and column", arguments: mistakes)
    func mistake(_ wrong: Wrong) throws {
        let error = try #require(throws: ConfigurationError.self) {
            try JSONText(Array(wrong.text.utf8), name: "a.json").parse()
        }
        #expect(error.description.hasPrefix("a.json:\(wrong.place): is not JSON: \(wrong.message)"), "\(error)")
    }

    @Test("Bytes that are not UTF-8 are refused")
    func encoding() {
        #expect(throws: ConfigurationError.self) { try JSONText([0x22, 0xFF, 0x22], name: "a.json").parse() }
    }

    @Test(
        "Every way to write a text is read",
        arguments: [
            ("\"\"", ""), ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "a\"\\/\u{8}\u{C}\n\r\t"), ("\"\\u00e4\"", "ä"),
            ("\"\\uD83D\\uDE00\"", "😀"), ("\"#%$!<>\"", "#%$!<>"), (" -0.5e+3 ", "-0.5e+3"), ("0", "0"),
            ("\u{FEFF}true", "true"), ("\tfalse\r\n", "false"),
        ])
    func scalars(_ text: String, _ value: String) throws {
        #expect(try JSONText(Array(text.utf8), name: "a.json").parse().scalar == value)
    }

    @Test("32 lists within each other are read")
    func depth() throws {
        let text = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        #expect(try JSONText(Array(text.utf8), name: "a.json").parse().kind == "a list")
    }

    @Test("A text that is cut anywhere is refused and never traps")
    func cuts() throws {
        let text = Array(#"{"host":"a\u00e4\ud83d\ude00","port":[1,-2.5e3,true,false,null],"x":{}}"#.utf8)
        _ = try JSONText(text, name: "a.json").parse()
        for end in text.indices {
            #expect(throws: ConfigurationError.self) { try JSONText(Array(text[..<end]), name: "a.json").parse() }
        }
    }

    @Test("Names are found whatever their case and separators are", arguments: ["ca_file", "caFile", "CA-File"])
    func names(_ name: String) throws {
        let node = try JSONText(Array("{\"\(name)\": \"x\"}".utf8), name: "a.json").parse()
        #expect(node.value("ca_file")?.scalar == "x")
    }
}
