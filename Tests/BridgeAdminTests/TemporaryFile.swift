import Foundation

/// A file with a text, until it is removed.
struct TemporaryFile: Sendable {
    let path: String

    init(_ text: String) {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("admin-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
