import Foundation

/// The throw-away certificates that Tests/Support/certificates.py makes, once for all tests of a run.
struct Certificates: Sendable {
    /// This is in the build folder, because the certificates belong to the whole run and no test may remove them. The
    /// next run makes new ones.
    private static let folder = Toolbox.root.appending(path: ".build/test-certificates").path

    private static let shared = Task { () throws -> Certificates in
        let process = try await ChildProcess.start(
            "certificates.py", Toolbox.python, [Toolbox.support("certificates.py"), folder])
        // A busy machine needs a while to make RSA keys.
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
    /// The path of `NAME.pem`.
    func certificate(_ name: String) -> String { "\(Self.folder)/\(name).pem" }
    /// The path of `NAME.key`.
    func key(_ name: String) -> String { "\(Self.folder)/\(name).key" }
}
