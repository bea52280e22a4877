import TLSTransport
import Testing

@Suite struct PEMTextTests {
    @Test(arguments: [
        ("", ""), ("\u{FEFF}", ""), ("\u{FEFF}a\r\nb\nc", "a\r\nb\nc"), ("a\rb\r\rc\r", "a\nb\n\nc\n"),
        ("a\u{FEFF}", "a\u{FEFF}"),
    ])
    func plain(_ text: String, _ expected: String) {
        #expect(PEMText.plain(Array(text.utf8)) == Array(expected.utf8))
    }
}
