import BridgeCore
import Foundation
import Logging
import Synchronization
import Testing

@testable import Bridge

/// Warnings about certificate files that work but should be changed.
@Suite(.timeLimit(.minutes(5)))
struct CredentialFilesTests {
    private static let day: Int64 = 86_400

    private static func serve(_ certificate: String, _ folder: Folder) async throws -> CredentialFiles {
        let certificates = try await Certificates.make()
        return CredentialFiles(
            ServeConfiguration(
                certificateFile: certificate, keyFile: certificates.key("server"), brokerHost: "localhost"))
    }

    /// The certificate is valid from yesterday to tomorrow.
    @Test(arguments: [
        (Int64(0), "expires on "), (-14 * day, " is not valid before "), (2 * day, " expired on "),
    ])
    func theTimeOfTheServersCertificate(after: Int64, words: String) async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let path = try await Certificates.make().certificate("server")
        let files = try await Self.serve(path, folder)
        let warnings = files.warnings(at: Int64(Date().timeIntervalSince1970) + after)
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("serve.certificate: \(path): the certificate 'CN=localhost'") == true)
        #expect(warnings.first?.contains(words) == true, "\(warnings)")
        #expect(files.notes.first?.contains("does not contain the certificate of its issuer 'CN=Test CA'") == true)
    }

    /// At first the chain is complete. Then its root is in the place of the intermediate.
    @Test func theOrderOfTheChain() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let certificates = try await Certificates.make()
        func text(_ name: String) throws -> String {
            try String(contentsOfFile: certificates.certificate(name), encoding: .utf8)
        }
        let whole = try await Self.serve(certificates.certificate("rsa-server"), folder)
        #expect(whole.notes.isEmpty)
        #expect(!whole.warnings.contains { $0.contains("order") || $0.contains("missing") }, "\(whole.warnings)")
        let certificate = try text("rsa-server").components(separatedBy: "-----END")[0]
        let end = "-----END CERTIFICATE-----\n"
        let file = try folder.write("chain.pem", certificate + end + (try text("rsa-root")))
        let gap = try await Self.serve(file, folder)
        #expect(
            gap.warnings.contains {
                $0.contains("the certificate of 'CN=Test RSA Intermediate' is missing")
            }, "\(gap.warnings)")
    }

    /// A single valid CA in the file is enough.
    @Test func someAuthoritiesMayHaveExpired() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let certificates = try await Certificates.make()
        func warnings(_ path: String) -> [String] {
            let uplink = UplinkConfiguration(host: "a", caFile: path)
            return CredentialFiles(BridgeConfiguration(uplink: uplink)).warnings
        }
        let expired = certificates.certificate("expired")
        #expect(warnings(expired).first?.hasPrefix("uplink.ca: \(expired): ") == true)
        let both = try [expired, certificates.certificate("ca")].map { try String(contentsOfFile: $0, encoding: .utf8) }
        #expect(warnings(try folder.write("both.pem", both.joined())).isEmpty)
    }

    /// The broker's own certificate may stand there, and then it is known by its name.
    @Test func aCertificateThatIsNotThatOfACA() async throws {
        let certificates = try await Certificates.make()
        func warnings(_ name: String, host: String) -> [String] {
            let uplink = UplinkConfiguration(host: host, caFile: certificates.certificate(name))
            return CredentialFiles(BridgeConfiguration(uplink: uplink)).warnings
        }
        let path = certificates.certificate("server")
        let start = "uplink.ca: \(path): the certificate 'CN=localhost' is not that of a CA (CA:FALSE)"
        #expect(warnings("server", host: "broker.test").contains { $0.hasPrefix(start) })
        for host in ["localhost", "127.0.0.1"] { #expect(warnings("server", host: host).isEmpty) }
        #expect(warnings("ca", host: "broker.test").isEmpty)
    }

    @Test func aServersCertificateThatIsNotForServers() async throws {
        let folder = try Folder()
        defer { folder.remove() }
        let certificates = try await Certificates.make()
        let client = try await Self.serve(certificates.certificate("client"), folder)
        #expect(client.warnings.contains { $0.contains("is not for servers") }, "\(client.warnings)")
        let server = try await Self.serve(certificates.certificate("server"), folder)
        #expect(!server.warnings.contains { $0.contains("is not for servers") }, "\(server.warnings)")
    }

    /// Warnings are repeated once a day, which is shortened here.
    @Test func warningsAreRepeated() async throws {
        let said = EventLog<String>()
        let (lines, feed) = AsyncStream.makeStream(of: String.self)
        let collector = Task { for await line in lines { await said.append(line) } }
        let logger = Logger(label: "test") { _ in LineHandler(feed: feed) }
        let asked = Mutex(0)
        let reminder = CertificateReminder(logger: logger, interval: .milliseconds(10)) {
            let number = asked.withLock { number in
                number += 1
                return number
            }
            return number == 2 ? [] : ["warning \(number)"]
        }
        #expect(CertificateReminder(logger: logger) { [] }.interval == .seconds(86_400))
        let run = Task { await reminder.run() }
        for number in [1, 3, 4] { _ = try await said.first("number \(number)") { $0.contains("warning \(number)") } }
        run.cancel()
        await run.value
        feed.finish()
        await collector.value
        #expect(await !said.all.contains { $0.contains("warning 2") })
    }
}

private struct LineHandler: LogHandler {
    let feed: AsyncStream<String>.Continuation
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    init(feed: AsyncStream<String>.Continuation) {
        self.feed = feed
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        feed.yield("\(event.message) \(event.metadata ?? [:])")
    }
}
