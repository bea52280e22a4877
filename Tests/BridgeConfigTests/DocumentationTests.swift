import Foundation
import Testing

@testable import BridgeConfig

/// The links, file names and log messages in the documentation must name something that exists.
struct DocumentationTests {
    private static let folders = [
        "Sources/", "Plugins/", "Tests/", "scripts/", "docs/", "deploy/", "examples/", "Benchmarks/", ".ci/",
        "credential_certificates/",
    ]
    /// Files, and folders of files, that the operator provides.
    private static let operatorsFiles = ["credential_certificates/", "deploy/.env"]

    @Test func linksLeadSomewhere() throws {
        let pages = try Document.pages()
        #expect(pages.map(\.links.count).reduce(0, +) > 50)
        for page in pages {
            for (line, target) in page.links where !target.contains("://") {
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? page.path : Self.resolve(String(parts[0]), from: page.path)
                guard Document.exists(path) else {
                    Issue.record("\(page.path):\(line): there is no \(path)")
                    continue
                }
                guard parts.count > 1 else { continue }
                let anchors = try Document(path).anchors
                #expect(anchors.contains(String(parts[1])), "\(page.path):\(line): there is no heading for \(target)")
            }
        }
    }

    /// A relative path, seen from a page, as a path from the root.
    private static func resolve(_ target: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast()
        for part in target.split(separator: "/") {
            switch part {
            case ".": break
            case "..": parts = parts.dropLast()
            default: parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }

    /// Checks every path in backticks or in a block of code in the pages, and every path in comments of the examples.
    @Test func namedFilesExist() throws {
        var count = 0
        func check(_ text: String, _ place: String) {
            for word in text.split(whereSeparator: { " \t\"'=(),;".contains($0) }) {
                let path = Self.path(in: word)
                guard Self.folders.contains(where: path.hasPrefix) else { continue }
                guard !Self.isOperators(path) else { continue }
                count += 1
                #expect(Document.exists(String(path)), "\(place): there is no \(path)")
            }
        }
        for page in try Document.pages() {
            for (line, text) in page.codes { check(text, "\(page.path):\(line)") }
        }
        let others = ["examples", "deploy"].flatMap { Document.files(under: $0) }.filter { !$0.hasSuffix(".md") }
        for name in try others.filter(Self.isFile) + ["bridge.yaml.example"] {
            let lines = try Document(name).text.split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() where line.contains("#") {
                check(String(line), "\(name):\(index + 1)")
            }
        }
        #expect(count > 100)
    }

    private static func isFile(_ path: String) throws -> Bool {
        try Document.root.appendingPathComponent(path).resourceValues(forKeys: [.isRegularFileKey]).isRegularFile
            == true
    }

    /// The word without a leading `./` and without the punctuation of a sentence at its end.
    private static func path(in word: Substring) -> Substring {
        var path = word.hasPrefix("./") ? word.dropFirst(2) : word
        while let last = path.last, ".:".contains(last) { path.removeLast() }
        return path
    }

    private static func isOperators(_ path: Substring) -> Bool {
        operatorsFiles.contains { $0.hasSuffix("/") ? path.hasPrefix($0) && path != $0 : path == $0 }
    }

    /// Checks source files that are named without their folder.
    @Test func namedSourceFilesExist() throws {
        let folders = ["Sources", "Tests", "Benchmarks"]
        let names = Set(
            folders.flatMap { Document.files(under: $0) }.map { URL(fileURLWithPath: $0).lastPathComponent })
        for page in try Document.pages() {
            for (line, text) in page.codes where !text.contains(where: { "/ *".contains($0) }) {
                let parts = text.split(separator: ".")
                guard parts.count == 2, ["swift", "py", "c", "h"].contains(parts[1]) else { continue }
                #expect(names.contains(text) || Document.exists(text), "\(page.path):\(line): there is no \(text)")
            }
        }
    }

    /// Each promise of the threat model names the tests that hold it: `File.function`, the file without an ending.
    @Test func thePromisesOfTheThreatModelAreTested() throws {
        let page = try Document("docs/security.md")
        let named =
            (page.rows(of: ["promise", "test"]) + page.rows(of: ["level", "asks for", "how it is met", "test"]))
            .map { Document.spans(of: $0[$0.count - 1]) }
        #expect(named.count > 30)
        let files = Document.files(under: "Tests").filter { $0.hasSuffix("Tests.swift") }
        for tests in named {
            #expect(!tests.isEmpty, "a promise names no test")
            for test in tests {
                let parts = test.split(separator: ".")
                let texts = try files.filter { $0.hasSuffix("/\(parts[0]).swift") }.map { try Document($0).text }
                #expect(
                    parts.count == 2 && texts.contains { Self.isTest(parts[1], in: $0) }, "there is no test \(test)")
            }
        }
    }

    /// Whether a function of that name stands behind `@Test`, with no empty line between.
    private static func isTest(_ name: Substring, in text: String) -> Bool {
        text.components(separatedBy: "\n\n").contains { part in
            guard let test = part.range(of: "@Test"), let function = part.range(of: "func \(name)(") else {
                return false
            }
            return test.lowerBound < function.lowerBound
        }
    }

    /// The threat model names keys that exist.
    @Test func theKeysOfTheThreatModelExist() throws {
        let keys = Set(Key.allCases.map(\.rawValue))
        let sections = Set(keys.compactMap { $0.split(separator: ".").first }.map { "\($0)." })
        for (line, text) in try Document("docs/security.md").codes where sections.contains(where: text.hasPrefix) {
            guard text.allSatisfy({ $0.isLowercase || "._".contains($0) }) else { continue }
            #expect(keys.contains(text), "docs/security.md:\(line): there is no key \(text)")
        }
    }

    @Test func theReadmeLinksToEveryPage() throws {
        let targets = Set(try Document("README.md").links.map(\.target))
        for page in Document.files(under: "docs") { #expect(targets.contains(page), "\(page) is not linked") }
    }

    /// Log messages are constant, so the sources must contain those that the documentation quotes.
    @Test func quotedLogMessagesExist() throws {
        let sources = Document.files(under: "Sources").filter { $0.hasSuffix(".swift") }
        let literals = Set(try sources.flatMap { try Document($0).text.components(separatedBy: "\"") })
        let explained = try Document("docs/operations.md").rows(of: ["message", "meaning"])
            .flatMap { Document.spans(of: $0[0]) }
        #expect(explained.count > 20)
        let pages = try Document.pages().filter { $0.path.hasPrefix("docs/") }
        for message in Set(explained + pages.flatMap { $0.codes.map(\.text) }.filter(Self.isSentence)) {
            let isLogged = literals.contains(message) || literals.contains { $0.hasPrefix(message) }
            #expect(isLogged, "nothing logs \"\(message)\"")
        }
    }

    /// Whether a text in backticks consists of words, as log messages do and commands and keys do not.
    private static func isSentence(_ text: String) -> Bool {
        let words = text.split(separator: " ")
        return words.count > 2 && words.allSatisfy { $0.allSatisfy { $0.isLetter || ",:".contains($0) } }
    }
}
