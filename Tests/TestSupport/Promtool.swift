import Foundation

/// `promtool`, of Debian's package prometheus.
package enum Promtool {
    private static let path = "/usr/bin/promtool"
    package static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// What `promtool check metrics` says of the text of `/metrics`.
    package static func objections(to text: String) throws -> String {
        try run(["check", "metrics"], input: text).output
    }

    /// Runs it in a folder of its own, so that it leaves nothing behind.
    package static func run(_ arguments: [String], input: String = "") throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "input").path
        try Data(input.utf8).write(to: URL(filePath: file))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: path)
        process.currentDirectoryURL = folder
        process.arguments = arguments
        process.standardInput = FileHandle(forReadingAtPath: file)
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
