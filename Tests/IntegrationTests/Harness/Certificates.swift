import Foundation

/// The throw-away certificates of Tests/Support/certificates.py, made once for all tests of a run.
struct Certificates: Sendable {
    /// In the build folder: they belong to the whole run, so no test may remove them, and the next run makes them anew.
    private static let folder = Toolbox.root.appending(path: ".build/test-certificates").path

    private static let shared = Task { () throws -> Certificates in
        let process = try await ChildProcess.start(
            "certificates.py", Toolbox.python, [Toolbox.support("certificates.py"), folder])
        // Keys of RSA take a busy machine a while.
        let end = try await process.end(within: .seconds(300))
        guard end == .exit(0) else {
            throw HarnessError("no certificates: \(end)", await process.errors.all.joined(separator: "\n"))
        }
        return Certificates()
    }

    static func make() async throws -> Certificates {
        try await shared.value
    }

    var path: String { Self.folder }
    /// Path of `NAME.pem`.
    func certificate(_ name: String) -> String { "\(Self.folder)/\(name).pem" }
    /// Path of `NAME.key`.
    func key(_ name: String) -> String { "\(Self.folder)/\(name).key" }
}
