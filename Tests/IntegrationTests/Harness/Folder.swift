import Foundation

/// A temporary folder of one test.
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

    /// Renames `draft` to this name in the folder, which replaces an existing file, and returns its path.
    func replace(_ name: String, by draft: String) throws -> String {
        let file = "\(path)/\(name)"
        guard rename(draft, file) == 0 else { throw HarnessError("\(draft) cannot be renamed: errno \(errno)") }
        return file
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
