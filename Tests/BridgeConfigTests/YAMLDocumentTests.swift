import TestSupport
import Testing

@testable import BridgeConfig

/// What YAML-lite refuses, and how it says so.
struct YAMLDocumentTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var expected: [String]

        init(_ text: String, _ expected: String...) {
            self.text = text
            self.expected = expected
        }

        var testDescription: String { String(text.prefix(60)).replacing("\n", with: "⏎") }
    }

    private static let anchors =
        "anchors (&name) and aliases (*name) are not supported; a value that begins with & * or ! goes in quotes"
    private static let aliases = "aliases (*name) are not supported; a value that begins with * goes in quotes"
    private static let tags = "tags (!type) are not supported; a value that begins with & * or ! goes in quotes"
    private static let empty = "is empty; bridge.yaml.example is a complete configuration to start from"

    @Test(arguments: [
        Case("", "bridge.yaml: \(empty)"),
        Case("# nothing\n\n", "bridge.yaml: \(empty)"),
        Case("---\n", "bridge.yaml: \(empty)"),
        Case("a: &x 1\nb: *x", "bridge.yaml:1:4: \(anchors)", "bridge.yaml:2:4: \(aliases)"),
        Case("a: *x", "bridge.yaml:1:4: \(aliases)"),
        Case("*x : 1", "bridge.yaml:1:1: \(aliases)"),
        Case("&x [1, 2]", "bridge.yaml:1:1: \(anchors)"),
        Case("&x a: 1", "bridge.yaml:1:1: \(anchors)"),
        Case("a: !!str 1", "bridge.yaml:1:4: \(tags)"),
        Case("a: !secret x", "bridge.yaml:1:4: \(tags)"),
        Case("a: ! x", "bridge.yaml:1:4: \(tags)"),
        Case("a: !!map {b: 1}", "bridge.yaml:1:4: \(tags)"),
        Case(
            "%TAG !e! tag:example.com,2000:\n---\na: 1",
            "bridge.yaml:1:1: tags (!type) are not supported; leave out %TAG"),
        Case("a: [1, &x 2, !t 3]", "bridge.yaml:1:8: \(anchors)", "bridge.yaml:1:14: \(tags)"),
        Case("a:\n  <<: {b: 1}", "bridge.yaml:2:3: merge keys (<<) are not supported; write the values out"),
        Case("? [a]\n: 1", "bridge.yaml:1:3: a list or map cannot be a key; a key is a word"),
        Case(
            "a: 1\n---\nb: 2", "bridge.yaml:2:1: a second document (---) begins here; a configuration is one document"),
        Case("a:\n\tb: 1", "bridge.yaml:2:1: a tab; YAML is indented with spaces"),
        Case("a: @x", "bridge.yaml:1:4: a value that begins with @ goes in quotes"),
        Case(
            "a: b: c",
            "bridge.yaml:1:5: a colon is not allowed here; a value that contains \": \" goes in quotes, and all keys of a "
                + "map have the same indentation"),
        Case("listen: [::1]:1883", "bridge.yaml:1:10: an address with brackets goes in quotes: \"[::1]:1883\""),
        Case("a: \u{1}", "bridge.yaml:1:4: a control character; only text, spaces and line breaks can stand here"),
        Case(
            "a\nb: 1",
            "bridge.yaml:2:2: a colon is not allowed here; a value that contains \": \" goes in quotes, and all keys of a map have the same indentation"
        ),
        Case("{a: 1, a: 2}", "bridge.yaml:1:8: \"a\" is given twice; the first is in line 1"),
        Case("1: a\n\"1\": b", "bridge.yaml:2:1: \"1\" is given twice; the first is in line 1"),
        Case("? a\n: 1\n? a\n: 2", "bridge.yaml:3:3: \"a\" is given twice; the first is in line 1"),
    ])
    func refused(_ test: Case) throws {
        let lines = try onlySyntax(test.text)
        #expect(lines == test.expected)
    }

    @Test func duplicateKeysAreAllFoundAndDoNotHideTheRest() throws {
        let text = """
            uplink:
              host: a
              ca: ca.pem
              # again
              host: b

              host : c
              port: x
            log:
              level: info
            unrouted: pass
            log:
              level: loud
            """
        let lines = try errors(text).map { $0.prefix(70) }
        #expect(
            lines == [
                "bridge.yaml:5:3: \"host\" is given twice; the first is in line 2",
                "bridge.yaml:7:3: \"host\" is given twice; the first is in line 2",
                "bridge.yaml:8:9: uplink.port: \"x\" is not a number; a UDP port is a who",
                "bridge.yaml:12:1: \"log\" is given twice; the first is in line 9",
            ])
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func lineBreaks(_ lineBreak: String) throws {
        let text = "# é\nuplink:\n  host: a\n  ca: ca.pem\n  prot: 1\n".replacing("\n", with: lineBreak)
        #expect(try errors(text).map { $0.prefix(29) } == ["bridge.yaml:5:3: uplink.prot:"])
    }

    @Test func aTextOfAnyKindNeverCrashes() {
        let pieces = [
            "a", ":", " ", "\n", "-", "[", "]", "{", "}", "&a", "*a", "!t", "'", "\"", "|", ">", "#", "\t", "?", ",",
            "---", "...",
        ]
        var random = SplitMix64(seed: 7)
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 1...24, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            _ = YAMLDocument.parse(text, name: "f", diagnostics: Diagnostics())
        }
    }

    /// A parser that follows each level with a call would run out of stack.
    @Test(arguments: ["", "a: &x ", "? "]) func deepNestingEnds(_ before: String) throws {
        let lines = try onlySyntax(before + String(repeating: "[", count: 100_000))
        let column = before.count + YAMLDocument.maximumDepth + 1
        #expect(lines.contains { $0.hasPrefix("bridge.yaml:1:\(column): lists and maps are nested more than 32 deep") })
    }

    @Test func nestingUpToTheLimitIsRead() throws {
        let depth = YAMLDocument.maximumDepth
        let text = String(repeating: "[", count: depth) + "x" + String(repeating: "]", count: depth)
        guard case .root(var node) = YAMLDocument.parse(text, name: "f", diagnostics: Diagnostics()) else {
            Issue.record("not read")
            return
        }
        var levels = 0
        while case .list(let items) = node.content, let item = items.first { (node, levels) = (item, levels + 1) }
        #expect(levels == depth)
    }

    /// What the library says where the project has no advice of its own.
    @Test func theWordsOfTheLibrary() throws {
        let lines = try onlySyntax("a: \"x")
        let words = "not valid YAML: found unexpected end of stream (while scanning a quoted scalar)"
        #expect(lines == ["bridge.yaml:1:6: \(words)"])
    }

    @Test func scalars() throws {
        let text = "a: plain\nb: 'it''s'\nc: \"\\x00\\u00e9\"\nd: |\n  1\n  2\ne: >\n  1\n  2\nf:\ng: \"\""
        guard case .root(let root) = YAMLDocument.parse(text, name: "f", diagnostics: Diagnostics()),
            case .map(let entries) = root.content
        else {
            Issue.record("not read")
            return
        }
        let values = entries.map { entry in
            guard case .scalar(let text, let isPlain) = entry.value.content else { return "no scalar" }
            return (isPlain ? "plain " : "quoted ") + text
        }
        #expect(
            values == [
                "plain plain", "quoted it's", "quoted \0é", "quoted 1\n2\n", "quoted 1 2\n", "plain ", "quoted ",
            ])
    }

    /// A key is shown in its error, whatever is in it.
    @Test(arguments: ["\"a\\nb\\e[31m\": 1\n", "routes: [{\"x\\r\\ny\": 1}]\n", "\"\\L\": 1\n"])
    func errorsAreOneLine(_ text: String) {
        let errors = #expect(throws: ConfigurationErrors.self) {
            try ConfigurationLoader.load(.run, text: text, folder: "", dotEnv: nil)
        }
        for error in errors?.all ?? [] {
            let line = error.description.unicodeScalars
            #expect(!line.contains { $0.value < 0x20 || $0.properties.generalCategory == .lineSeparator }, "\(error)")
        }
    }

    /// The map keeps the first, and a file full of duplicates gets a bounded number of errors.
    @Test func manyDuplicates() throws {
        let diagnostics = Diagnostics()
        let text = (0..<1_000).map { "a: \($0)\n" }.joined()
        guard case .root(let root) = YAMLDocument.parse(text, name: "f", diagnostics: diagnostics),
            case .map(let entries) = root.content, case .scalar("0", isPlain: true) = entries.first?.value.content
        else {
            Issue.record("not read")
            return
        }
        #expect(entries.count == 1)
        #expect(diagnostics.errors.count == 50)
    }

    /// The "billion laughs" attack: each line contains the previous one ten times.
    @Test(.timeLimit(.minutes(1))) func aliasesAreNotFollowed() throws {
        var text = "a0: &a0 x\n"
        for i in 1..<30 {
            text += "a\(i): &a\(i) [\(Array(repeating: "*a\(i - 1)", count: 10).joined(separator: ", "))]\n"
        }
        #expect(try onlySyntax(text).count == 30)
    }

    /// Errors that are not about keys.
    private func onlySyntax(_ text: String) throws -> [String] {
        do {
            _ = try ConfigurationLoader.load(.run, text: text)
            return []
        } catch {
            return error.all.filter { $0.key == nil }.map(\.description)
        }
    }
}
