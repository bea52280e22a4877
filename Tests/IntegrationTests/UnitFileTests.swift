import Foundation
import Testing

/// The units of `deploy/`, as systemd itself reads them.
@Suite(.timeLimit(.minutes(5)))
struct UnitFileTests {
    private static let verifier = "/usr/bin/systemd-analyze"
    private static let deploy = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy")

    @Test(
        .mapping(.connection),
        .enabled("systemd-analyze is not installed") { FileManager.default.isExecutableFile(atPath: verifier) })
    func unitsAreValid() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.deploy.path)
            .filter { $0.hasSuffix(".service") || $0.hasSuffix(".socket") }
        #expect(names.count == 3)
        let files = try names.map { name in
            let text = try String(contentsOf: Self.deploy.appending(path: name), encoding: .utf8)
            // The program need not be installed for the test.
            return try folder.write(
                name, text.replacing("/usr/local/bin/mqtt-quic-bridge", with: try Toolbox.bridge()))
        }
        let process = try await ChildProcess.start("systemd-analyze", Self.verifier, ["verify", "--man=no"] + files)
        let end = try await process.end()
        _ = try? await process.errors.first("the end of errors") { _ in false }
        #expect(end == .exit(0))
        #expect(await process.errors.all.filter { $0.contains("mqtt-quic-bridge") } == [])
    }
}
