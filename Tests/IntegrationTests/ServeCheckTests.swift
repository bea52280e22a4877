import Foundation
import Testing

/// `check --serve`, and what a bad configuration does to `serve`.
@Suite(.timeLimit(.minutes(20)))
struct ServeCheckTests {
    private static func run(_ arguments: String...) async throws -> (end: ChildProcess.ProcessEnd, said: String) {
        let process = try await ChildProcess.start("serve", Toolbox.bridge(), arguments)
        let end = try await process.end()
        // Both streams end after the process does, or much later if another test's child process has inherited them.
        _ = try? await process.output.first("the end of output", within: .seconds(2)) { _ in false }
        _ = try? await process.errors.first("the end of errors", within: .seconds(2)) { _ in false }
        return (end, (await process.output.all + process.errors.all).joined(separator: "\n"))
    }

    private static func file(in folder: Folder, _ lines: [String] = []) async throws -> String {
        var options = ServeScenario.Options()
        options.serve = lines
        return try folder.write(
            "serve.yaml", try await ServeScenario.configuration(options, in: folder, brokerPort: 1883))
    }

    @Test func aGoodConfigurationIsShown() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await Self.file(in: folder, ["ticket_key_file: ticket.key"])
        let (end, said) = try await Self.run("check", "--serve", "--config", file)
        #expect(end == .exit(0), "\(said)")
        #expect(said.contains("broker_port: 1883"))
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/ticket.key"))
    }

    @Test func aKeyOfAnotherCertificateIsNotUsable() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await Self.file(in: folder)
        let other = try await Certificates.make().key("client")
        try folder.write("certificate.key", try String(contentsOfFile: other, encoding: .utf8))
        for command in [["check", "--serve"], ["serve"]] {
            let (end, said) = try await Self.run(
                command[0], "--config", file, command.count > 1 ? command[1] : "--log-level=info")
            #expect(end == .exit(78) && said.contains("certificate.key"), "\(said)")
        }
    }

    @Test func aTicketKeyFileOfSomethingElseIsNotUsable() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await Self.file(in: folder, ["ticket_key_file: ticket.key"])
        try folder.write("ticket.key", "not a key")
        for command in [["check", "--serve"], ["serve"]] {
            let (end, said) = try await Self.run(
                command[0], "--config", file, command.count > 1 ? command[1] : "--log-level=info")
            #expect(end == .exit(78) && said.contains("64 bytes"), "\(said)")
            #expect(said.contains("serve.yaml:") && said.contains("serve.ticket_key_file"), "\(said)")
        }
        #expect(try String(contentsOfFile: "\(folder.path)/ticket.key", encoding: .utf8) == "not a key")
    }

    /// `serve` can use the certificate, but none of its clients accept it.
    @Test(arguments: [
        ("expired", "the certificate 'CN=expired.localhost' expired on"),
        ("not-yet-valid", "the certificate 'CN=early.localhost' is not valid before"),
        ("server", "the certificate 'CN=localhost' expires on"),
    ])
    func aCertificateOutsideItsValidityIsReported(name: String, words: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await Self.file(in: folder)
        try await ServeScenario.use(name, in: folder)
        let (end, said) = try await Self.run("check", "--serve", "--config", file)
        #expect(end == .exit(0) && said.contains("warning: serve.certificate: ") && said.contains(words), "\(said)")
        let serve = try await Serve.start(in: folder, configuration: try String(contentsOfFile: file, encoding: .utf8))
        let line = try await serve.logs("a certificate needs attention")
        #expect(line.contains(" warning ") && line.contains(words))
        // A new certificate is warned about at once.
        try await ServeScenario.use("expired", in: folder)
        let count = await serve.process.errors.count
        serve.process.signal(SIGHUP)
        let again = try await serve.logs("a certificate needs attention", from: count)
        #expect(again.contains("expired on"))
        await serve.process.stop()
    }

    @Test func aWrongKeyIsNamedWithItsLine() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let file = try await Self.file(in: folder, ["brokre_host: a"])
        let (end, said) = try await Self.run("serve", "--config", file)
        #expect(end == .exit(78) && said.contains("serve.yaml:") && said.contains("broker_host"), "\(said)")
    }
}
