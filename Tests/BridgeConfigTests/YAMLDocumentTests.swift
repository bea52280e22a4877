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
    private static let tags = "tags (!type) are not supported; a value that begins with & * or ! goes in quotes"
    private static let empty = "is empty; bridge.yaml.example is a complete configuration to start from"

    @Test(arguments: [
        Case("", "bridge.yaml: \(empty)"),
        Case("# nothing\n\n", "bridge.yaml: \(empty)"),
        Case("---\n", "bridge.yaml: \(empty)"),
        Case("a: &x 1\nb: *x", "bridge.yaml:1:4: \(anchors)"),
        Case("a: *x", "bridge.yaml:1:4: aliases (*name) are not supported; a value that begins with * goes in quotes"),
        Case("&x a: 1", "bridge.yaml:1:1: \(anchors)"),
        Case("a: !!str 1", "bridge.yaml:1:4: \(tags)"),
        Case("a: !secret x", "bridge.yaml:1:4: \(tags)"),
        Case("a: ! x", "bridge.yaml:1:4: \(tags)"),
        Case("a: !!map {b: 1}", "bridge.yaml:1:4: \(tags)"),
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
        Case("{a: 1, a: 2}", "bridge.yaml:1:2: \"a\" is given twice in this map"),
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

    @Test func deepNestingEnds() throws {
        let lines = try onlySyntax(String(repeating: "[", count: 100_000))
        #expect(lines.count == 1)
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
