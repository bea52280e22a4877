import Foundation

/// A folder for the files of one process, which is removed when the process ends as usual.
final class ScratchFolder: Sendable {
    let path: String

    init(files: [String: String] = [:]) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "bridge-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
        for (name, text) in files { try write(name, Array(text.utf8)) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Only the owner can read the file.
    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = "\(path)/\(name)"
        guard
            FileManager.default.createFile(atPath: file, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        else { throw FuzzFailure("\(file) cannot be written") }
        return file
    }

    /// As much of a PEM file as is examined before the TLS library gets it.
    static func pem(_ label: String) -> String { "-----BEGIN \(label)-----\nMAA=\n-----END \(label)-----\n" }
}
