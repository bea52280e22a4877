import Foundation

/// A folder of a test's own.
struct Folder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "mqtt-quic-bridge-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    @discardableResult
    func write(_ name: String, _ content: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(content.utf8).write(to: URL(filePath: file))
        return file
    }

    /// Gives a file of the folder this name, in place of the one that has it.
    func replace(_ name: String, by draft: String) throws -> String {
        let file = "\(path)/\(name)"
        guard rename(draft, file) == 0 else { throw HarnessError("\(draft) cannot be renamed: errno \(errno)") }
        return file
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
