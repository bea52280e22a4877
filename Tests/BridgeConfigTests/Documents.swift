import Foundation

/// A text file in the repository that is written for people.
struct Document {
    /// Path from the repository's root.
    let path: String
    let text: String

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().standardizedFileURL

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appendingPathComponent(path), encoding: .utf8)
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    /// Paths of all files under a folder, from the repository's root.
    static func files(under folder: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        return (names?.compactMap { $0 as? String } ?? []).map { "\(folder)/\($0)" }.sorted()
    }

    /// The pages that are written in Markdown.
    static func pages() throws -> [Document] {
        let folders = ["docs", "examples", "Benchmarks", "credential_certificates"]
        let names =
            ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] + folders.flatMap { files(under: $0) }
        return try names.filter { $0.hasSuffix(".md") }.map { try Document($0) }
    }
}

// MARK: - Markdown

extension Document {
    /// The lines outside fenced code, with their numbers counted from 1, and those inside.
    private var splitLines: (prose: [(number: Int, text: Substring)], code: [(number: Int, text: Substring)]) {
        var isCode = false
        var prose: [(Int, Substring)] = []
        var code: [(Int, Substring)] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isCode.toggle()
            } else if isCode {
                code.append((index + 1, line))
            } else {
                prose.append((index + 1, line))
            }
        }
        return (prose, code)
    }

    /// Targets of the links, with their lines.
    var links: [(line: Int, target: String)] {
        splitLines.prose.filter { $0.text.contains("](") }.flatMap { number, text in
            Self.withoutCode(text).components(separatedBy: "](").dropFirst().map { rest in
                (number, String(rest.prefix { $0 != ")" }))
            }
        }
    }

    /// The texts in backticks and the lines of fenced code, with their line numbers.
    var codes: [(line: Int, text: String)] {
        let (prose, code) = splitLines
        let spans = prose.flatMap { number, text in Self.spans(of: text).map { (number, $0) } }
        return spans + code.map { ($0.number, String($0.text)) }
    }

    /// The fragments by which links name the headings of this page.
    var anchors: Set<String> {
        Set(
            splitLines.prose.compactMap { _, text in
                guard text.hasPrefix("#") else { return nil }
                let title = text.drop { $0 == "#" }.drop { $0 == " " }
                let kept = title.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
                return kept.replacing(" ", with: "-")
            })
    }

    /// The cells of all rows of the tables that have these column names.
    func rows(of columns: [String]) -> [[String]] {
        var rows: [[String]] = []
        var isInside = false
        for (_, text) in splitLines.prose {
            guard text.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = text.dropFirst().split(separator: "|", omittingEmptySubsequences: false).dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            if cells == columns {
                isInside = true
            } else if isInside, cells.first?.hasPrefix("---") == false {
                rows.append(cells)
            }
        }
        return rows
    }

    /// The texts in backticks in one line.
    static func spans(of text: some StringProtocol) -> [String] {
        parts(of: text).filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
    }

    private static func withoutCode(_ text: Substring) -> String {
        parts(of: text).filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined()
    }

    private static func parts(of text: some StringProtocol) -> EnumeratedSequence<[String]> {
        text.components(separatedBy: "`").enumerated()
    }
}

extension String {
    /// The text without the backticks around it; `nil` if it has none.
    var unquoted: String? {
        count > 2 && first == "`" && last == "`" ? String(dropFirst().dropLast()) : nil
    }
}
