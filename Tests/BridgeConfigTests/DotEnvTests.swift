import Testing

@testable import BridgeConfig

struct DotEnvTests {
    @Test(arguments: [
        ("A=b", "b"), ("A=", ""), ("A= b ", "b"), ("A = b", "b"), ("export A=b", "b"), ("  A=b", "b"), ("A=b\r", "b"),
        ("A=a#b", "a#b"), ("A=#b", "#b"), ("A=a #b", "a"), ("A=a\t# b", "a"), ("A= #b", ""), ("A=a# b", "a# b"),
        ("A=100%", "100%"), ("A=$HOME", "$HOME"), ("A=${X}", "${X}"), ("A=pa!ss", "pa!ss"), ("A=a\\nb", "a\\nb"),
        ("A=a=b", "a=b"), ("A=it's", "it's"), ("A='a #b'", "a #b"), ("A='a\"b' # c", "a\"b"), ("A=\"a #b\"", "a #b"),
        ("A=\"a\\\"b\"", "a\"b"), ("A=\"a\\\\b\"", "a\\b"), ("A=\"\\$x $y\"", "$x $y"), ("A=\"a\\nb\"", "a\\nb"),
        ("A='a\\'", "a\\"), ("A=''", ""), ("A=pässword", "pässword"),
    ])
    func value(_ line: String, _ expected: String) {
        let diagnostics = Diagnostics()
        let entries = DotEnv(line, name: ".env", diagnostics: diagnostics).entries
        #expect(entries.map(\.value) == [expected])
        #expect(entries.first?.name == "A")
        #expect(diagnostics.errors.isEmpty)
    }

    @Test(arguments: ["", "# A=b", "   ", "  # x", "\r"])
    func nothing(_ line: String) {
        let diagnostics = Diagnostics()
        #expect(DotEnv(line, name: ".env", diagnostics: diagnostics).entries.isEmpty)
        #expect(diagnostics.errors.isEmpty)
    }

    @Test(arguments: [
        ("hunter2", ".env:2: expected KEY=VALUE"),
        (
            "=x",
            ".env:2: the text before = is not a name; a name is letters, digits and underscores, and does not begin with a digit"
        ),
        (
            "1A=x",
            ".env:2: the text before = is not a name; a name is letters, digits and underscores, and does not begin with a digit"
        ),
        (
            "A B=x",
            ".env:2: the text before = is not a name; a name is letters, digits and underscores, and does not begin with a digit"
        ),
        (
            "A='x",
            ".env:2: the quote of A is not closed in this line; values of several lines are not supported"
        ),
        ("A='x'y", ".env:2: text after the closing quote of A"),
        ("A=a\u{7}", ".env:2: the value of A contains a control character"),
    ])
    func refused(_ line: String, _ expected: String) {
        let diagnostics = Diagnostics()
        _ = DotEnv("X=1\n" + line, name: ".env", diagnostics: diagnostics)
        #expect(diagnostics.errors.map(\.description) == [expected])
    }

    @Test func namesAndLines() {
        let text = "A=1\r\n\r\n# x\r\nexport B=2\r\n"
        let entries = DotEnv(text, name: ".env", diagnostics: Diagnostics()).entries
        #expect(entries.map(\.name) == ["A", "B"])
        #expect(entries.map(\.line) == [1, 4])
    }
}
