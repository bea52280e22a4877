import Testing

@testable import BridgeCore

@Suite("Routing: templates")
struct RoutingTemplateStringTests {
    static let device = RouteVariables(
        clientID: "dev-1", username: "ann/#${peer}", listener: "127.0.0.1:1883", peer: "10.0.0.7:50123")

    @Test(
        "renders",
        arguments: [
            ("", ""),
            ("plain", "plain"),
            ("${clientid}", "dev-1"),
            ("a-${clientid}-b", "a-dev-1-b"),
            ("${clientid}${clientid}", "dev-1dev-1"),
            ("${listener}|${peer}", "127.0.0.1:1883|10.0.0.7:50123"),
            // A `${` inside a value is plain text.
            ("${username}", "ann/#${peer}"),
            // A `$` that begins no variable stands for itself.
            ("$SYS/a$b$", "$SYS/a$b$"),
            ("$${clientid}", "$dev-1"),
            ("$$", "$$"),
            ("}{", "}{"),
            // A combining mark after a delimiter does not hide it.
            ("${clientid}\u{301}", "dev-1\u{301}"),
            ("é${clientid}ü", "édev-1ü"),
        ])
    func renders(source: String, expected: String) throws {
        #expect(try TemplateString(parsing: source).render(Self.device) == expected)
    }

    @Test(
        "refuses",
        arguments: [
            ("${}", TemplateError.unknownVariable("")),
            ("${clientId}", .unknownVariable("clientId")),
            ("${ clientid }", .unknownVariable(" clientid ")),
            ("a${clientid", .unclosedVariable("${clientid")),
            ("${", .unclosedVariable("${")),
            ("${a${clientid}", .unknownVariable("a${clientid")),
        ])
    func refuses(source: String, error: TemplateError) {
        #expect(throws: error) { try TemplateString(parsing: source) }
    }

    @Test("an error names the known variables, and no text in it can break the line")
    func errorText() {
        let error = TemplateError.unknownVariable("a\n\u{1B}[31m\u{202E}")
        #expect(
            error.description
                == #"unknown variable "a\u{A}\u{1B}[31m\u{202E}": the known variables are ${clientid}, ${username}, "#
                + "${listener}, ${peer}")
    }

    @Test("knows which variables it uses")
    func variables() throws {
        #expect(try TemplateString(parsing: "a/${peer}/${clientid}/${peer}").variables == [.peer, .clientID])
        #expect(try TemplateString(parsing: "a/b").variables == [])
    }

    @Test(
        "quotes for a message",
        arguments: [
            ("abc", #""abc""#),
            ("a\"b\\", #""a\"b\\""#),
            ("\u{0}\r\n\t\u{7F}\u{2028}", #""\u{0}\u{D}\u{A}\u{9}\u{7F}\u{2028}""#),
            ("12345678901", #""1234567890...""#),
            ("1234567890", #""1234567890""#),
        ])
    func quotes(text: String, expected: String) {
        #expect(text.quotedForMessage(limit: 10) == expected)
    }

    @Test(
        "shows a text on a terminal",
        arguments: [
            (#"plain "é😀\"#, #"plain "é😀\"#), ("a\u{1B}[2Jb", #"a\u{1B}[2Jb"#), ("a\r\nb", #"a\u{D}\u{A}b"#),
            ("\u{202E}x\u{2028}", #"\u{202E}x\u{2028}"#), ("", ""),
        ])
    func printable(text: String, expected: String) {
        #expect(text.printable == expected)
    }
}
