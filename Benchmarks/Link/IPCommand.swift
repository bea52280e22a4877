import Foundation

/// The `ip` program of iproute2.
enum IPCommand {
    /// Runs it with these arguments.
    ///
    /// - Throws: `LinkError.notPossible` if it is not installed or may not do it, `LinkError.failed` with its own words
    ///   if it fails otherwise.
    static func run(_ arguments: [String]) throws(LinkError) {
        guard let program else { throw .notPossible("there is no program ip: install iproute2") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw .failed("\(program): \(error)")
        }
        let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        process.waitUntilExit()
        guard process.terminationStatus != 0 else { return }
        let message = "ip \(arguments.joined(separator: " ")): \(words)"
        if words.contains("Operation not permitted") || words.contains("Permission denied") {
            throw .notPossible("network namespaces are not permitted here: \(message)")
        }
        throw .failed(message)
    }

    private static var program: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + ["/sbin", "/usr/sbin"]).map { "\($0)/ip" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
