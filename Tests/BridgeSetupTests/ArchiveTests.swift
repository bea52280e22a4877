import Foundation
import Testing

@testable import BridgeSetup

struct ArchiveTests {
    typealias Entry = ZipBuilder.Entry

    private static func read(_ data: Data, _ limits: ArchiveLimits = ArchiveLimits()) throws -> [Archive.Entry] {
        let folder = try SetupFolder()
        return try Archive.read(try folder.write("a.zip", data), limits: limits)
    }

    /// What is wrong with the file; `nil` if nothing is.
    private static func problem(_ data: Data, _ limits: ArchiveLimits = ArchiveLimits()) throws -> String? {
        do {
            _ = try read(data, limits)
            return nil
        } catch let error as SetupProblem {
            return error.description.split(separator: "a.zip: ", maxSplits: 1).last.map(String.init)
        }
    }

    @Test(arguments: ["", "bundle/", "a b-é/"])
    func filesAreReadWithoutTheirFolder(_ folder: String) throws {
        let data = ZipBuilder.make([
            Entry("\(folder)one", "1"), Entry("\(folder)two", ""), Entry("\(folder).env", "three"),
        ])
        let entries = try Self.read(data)
        #expect(entries.map(\.name) == ["one", "two", ".env"])
        #expect(entries.map { String(decoding: $0.bytes, as: UTF8.self) } == ["1", "", "three"])
    }

    @Test func foldersAndWhatArchiversAddAreLeftOut() throws {
        let data = ZipBuilder.make([
            Entry("b/") { $0.unixMode = 0o040755 }, Entry("b/one"), Entry("__MACOSX/._one"), Entry("b/.DS_Store"),
            Entry("b/two") { $0.unixMode = nil }, Entry("b/three") { $0.unixMode = 0o644 },
        ])
        #expect(try Self.read(data).map(\.name) == ["one", "two", "three"])
    }

    private static let hostile: [([Entry], String)] = [
        ([Entry("../x")], "the entry \"../x\" leads out of the folder (..)"),
        ([Entry("a/..")], "the entry \"a/..\" leads out of the folder (..)"),
        ([Entry("..")], "the entry \"..\" leads out of the folder (..)"),
        ([Entry("/etc/passwd")], "the entry \"/etc/passwd\" is an absolute path"),
        ([Entry("/\u{301}etc")], "is an absolute path"),
        ([Entry("..\\x")], "has a backslash in its name"), ([Entry("C:\\x")], "has a backslash in its name"),
        ([Entry("x\u{301}\\\u{301}y")], "has a backslash in its name"),
        ([Entry("./x")], "has the folder name \".\""), ([Entry("a//x")], "has an empty folder name"),
        ([Entry("")], "has no name"), ([Entry("a\u{7}b")], "has a control character in its name"),
        ([Entry("a/b/c")], "is in a folder in a folder; a bundle has one folder at most"),
        ([Entry(String(repeating: "n", count: 256))], "has a name of more than 255 bytes"),
        ([Entry("x") { $0.nameBytes = [0xFF, 0xFE] }], "an entry has a name that is not UTF-8"),
        ([Entry("x") { $0.nameBytes = Array("ca.pem\u{0}/../x".utf8) }], "has a control character in its name"),
        ([Entry("x"), Entry("x")], "the entry \"x\" is there twice"),
        ([Entry("a.pem"), Entry("A.PEM")], "the entry \"A.PEM\" is there twice"),
        (
            [Entry("l", "/etc/passwd"), Entry("m") { $0.unixMode = 0o120777 }],
            "\"m\" is a symbolic link or another special"
        ),
        ([Entry("p") { $0.unixMode = 0o010644 }], "\"p\" is a symbolic link or another special file"),
        ([Entry("x") { $0.flags = 1 }], "\"x\" is encrypted; unpack it by hand and name the folder"),
        ([Entry("in.zip")], "\"in.zip\" is a zip file itself"), ([Entry("in.ZIP")], "is a zip file itself"),
        ([Entry("x", "PK\u{3}\u{4}....")], "\"x\" is a zip file itself"),
        ([Entry("a/x"), Entry("b/y")], "has files in several folders"),
        ([Entry("a/x"), Entry("y")], "in several folders"),
        ([Entry("b/") { $0.content = [] }], "has no files in it"),
        ([Entry("x") { $0.method = 99 }], "\"x\" is damaged, or packed in a way that is not known here"),
        ([Entry("x") { $0.checksum = 1 }], "\"x\" is damaged, or packed in a way that is not known here"),
        ([Entry("x") { $0.declaredSize = 300_000 }], "has 300000 bytes; the most is 262144"),
    ]

    @Test(arguments: hostile.indices)
    func hostileFilesAreRefused(_ index: Int) throws {
        let (entries, expected) = Self.hostile[index]
        let problem = try Self.problem(ZipBuilder.make(entries))
        #expect(problem?.contains(expected) == true, "\(problem ?? "nothing"), not \(expected)")
    }

    /// The minizip of Debian 12 does not open it, that of Debian 13 does.
    @Test func anArchiveWithoutEntriesIsRefused() throws {
        let problem = try #require(try Self.problem(ZipBuilder.make([])))
        #expect(problem.contains("is not a zip file, or it is damaged") || problem.contains("has no files in it"))
    }

    @Test func theLimitsAreLimits() throws {
        var limits = ArchiveLimits()
        (limits.entries, limits.entrySize, limits.totalSize) = (3, 4, 9)
        func entries(_ sizes: Int...) -> Data {
            ZipBuilder.make(sizes.enumerated().map { Entry("\($0)", String(repeating: "x", count: $1)) })
        }
        #expect(try Self.problem(entries(4, 4, 1), limits) == nil)
        #expect(try Self.problem(entries(5), limits) == "the entry \"0\" has 5 bytes; the most is 4")
        #expect(try Self.problem(entries(4, 4, 2), limits) == "has more than 9 bytes when it is unpacked")
        #expect(try Self.problem(entries(1, 1, 1, 1), limits) == "has more than 3 entries; a bundle has about four")
        limits.fileSize = 50
        #expect(try Self.problem(entries(1), limits) == "is larger than 50 bytes; a bundle has a few KB")
    }

    /// Cut anywhere and with any byte changed, a file is refused or read; it never does harm.
    @Test func damagedFilesDoNoHarm() throws {
        let whole = SetupFolder.zippedBundle()
        for length in stride(from: 0, to: whole.count, by: 7) {
            let problem = try Self.problem(whole.prefix(length))
            #expect(problem != nil, "cut at \(length)")
        }
        for index in stride(from: 0, to: whole.count, by: 11) {
            var changed = whole
            changed[index] ^= 0xFF
            _ = try Self.problem(changed)
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        let folder = try SetupFolder()
        #expect(throws: SetupProblem("\(folder.path): is not a file")) { try Archive.read(folder.path) }
        #expect(throws: SetupProblem("\(folder.path)/no: No such file or directory")) {
            try Archive.read(folder.path + "/no")
        }
    }
}
