import FileReading
import Foundation
import Testing

struct BoundedFileTests {
    /// A file with the bytes 0, 1, 2 and so on. It is removed after `body`.
    private func withFile(_ count: Int, _ body: (String, [UInt8]) throws -> Void) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "bounded-\(UUID().uuidString)")
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        try Data(bytes).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        try body(url.path, bytes)
    }

    /// Limits around the size of the file, and around what is read at a time.
    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000], [0, 1, 65_536, 65_537, 200_000, 200_001])
    func noMoreThanTheLimitIsRead(count: Int, limit: Int) throws {
        try withFile(count) { path, bytes in
            let read = try BoundedFile.read(path, upTo: limit)
            #expect(read == Array(bytes.prefix(limit)))
        }
    }

    @Test func filesWithoutASizeAreReadToTheirEnd() throws {
        let text = String(decoding: try BoundedFile.read("/proc/self/stat", upTo: 1 << 20), as: UTF8.self)
        #expect(text.hasPrefix("\(ProcessInfo.processInfo.processIdentifier) (") && text.hasSuffix("\n"))
    }

    /// Nobody may ever write to the pipe.
    @Test func aNamedPipeIsNoFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)").path
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let problem = #expect(throws: BoundedFile.Problem.self) { try BoundedFile.read(path, upTo: 10) }
        #expect(problem?.description == "is a pipe, not a file")
    }

    @Test(arguments: [("/nowhere/file", ENOENT, "No such file"), ("/tmp", EISDIR, "directory")])
    func theReasonIsSaid(path: String, code: CInt, words: String) {
        let problem = #expect(throws: BoundedFile.Problem.self) { try BoundedFile.read(path, upTo: 10) }
        #expect(problem?.code == code && problem?.description.contains(words) == true)
    }
}
