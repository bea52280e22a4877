import Foundation
import FuzzTargets
import Testing

/// What once was found stays mended, and every target has inputs to begin with.
@Suite("Inputs of the fuzz targets")
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fuzz/Corpus")
    private static let names = allFuzzTargets.map { $0.name }

    private static func files(of name: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: folder.appending(path: name).standardizedFileURL, includingPropertiesForKeys: [.fileSizeKey])
    }

    @Test("the corpus replays without a finding", arguments: names)
    func replay(_ name: String) throws {
        let target = try #require(allFuzzTargets.first { $0.name == name })
        for file in try Self.files(of: name).sorted(by: { $0.path < $1.path }) {
            let input = try [UInt8](Data(contentsOf: file))
            #expect(throws: Never.self, "\(name)/\(file.lastPathComponent)") { try target.run(input) }
        }
        #expect(throws: Never.self, "\(name), the empty input") { try target.run([]) }
    }

    @Test("a corpus is there, and small", arguments: names)
    func size(_ name: String) throws {
        let files = try Self.files(of: name)
        let bytes = try files.reduce(0) { try $0 + ($1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
        #expect(files.count > 2 && files.count <= 60)
        #expect(bytes <= 102_400)
    }

    @Test("every folder belongs to a target, and names are unique")
    func folders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(folders.sorted() == Self.names.sorted())
        #expect(Set(Self.names).count == Self.names.count)
    }

    @Test("CONTRIBUTING lists the targets as `scripts/fuzz --list` does")
    func documentation() throws {
        let page = Self.folder.appending(path: "../../../CONTRIBUTING.md").standardizedFileURL
        let lines = try String(contentsOf: page, encoding: .utf8).split(separator: "\n")
        let table = lines.drop { $0 != "| target | what must hold |" }.dropFirst(2).prefix { $0.hasPrefix("|") }
        #expect(table.map(String.init) == allFuzzTargets.map { "| `\($0.name)` | \($0.summary) |" })
    }
}
