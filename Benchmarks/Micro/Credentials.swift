import Foundation

/// A certificate for `localhost` that signed itself, so that it is also the CA: `server.pem` and `server.key` in a
/// folder.
package struct Credentials {
    private let folder: URL
    /// Whether the folder belongs to this value.
    private let isOwned: Bool
    package var certificate: String { folder.appending(path: "server.pem").path }
    package var key: String { folder.appending(path: "server.key").path }

    /// Uses what is in the folder.
    package init(in folder: String) {
        self.folder = URL(filePath: folder)
        isOwned = false
    }

    /// Makes a folder and the certificate in it, by the `openssl` command.
    package init() throws {
        isOwned = true
        folder = FileManager.default.temporaryDirectory.appending(path: "bench-micro-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
            certificate,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError(message: "openssl could not make a certificate")
        }
    }

    /// Deletes the folder if it was made here.
    package func remove() {
        guard isOwned else { return }
        try? FileManager.default.removeItem(at: folder)
    }
}
