import Foundation
import NIOCore
import QUICSimulation
import Testing

@testable import QUICTransport

@Suite struct TLSContextTests {
    private let certificates = TestCertificates.shared

    private func file(_ contents: String) throws -> String {
        let path = certificates.path(UUID().uuidString)
        try contents.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func unusableFilesAreNamed() throws {
        let (ca, certificate, key) = (
            certificates.path("ec-root.pem"), certificates.path("client.pem"), certificates.path("client.key")
        )
        let text = try file("no certificate\n")
        let empty = try file("")
        let broken = try file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        func expect(
            _ path: String, _ why: String, ca: String = ca, certificate: String? = nil, key: String? = nil
        ) {
            #expect(throws: QUICError.fileUnreadable(path: path, why: why)) {
                try QUICTLSContext.client(caFile: ca, certificateFile: certificate, keyFile: key)
            }
        }
        expect("/nowhere/ca.pem", "No such file or directory", ca: "/nowhere/ca.pem")
        expect(certificates.folder, "Is a directory", ca: certificates.folder)
        expect(empty, "the file is empty", ca: empty)
        expect(text, "it holds no certificate in PEM form", ca: text)
        expect(key, "it holds no certificate in PEM form", ca: key)
        #expect(throws: QUICError.self) { try QUICTLSContext.client(caFile: broken) }
        expect(certificate, "a certificate needs its key, and no key file is given", certificate: certificate)
        expect(key, "a key needs its certificate, and no certificate file is given", key: key)
        expect("/nowhere/key", "No such file or directory", certificate: certificate, key: "/nowhere/key")
        expect(text, "it holds no certificate in PEM form", certificate: text, key: key)
        expect(text, "it holds no private key in PEM form", certificate: certificate, key: text)
        let other = certificates.path("ecdsa.key")
        expect(
            other,
            "the key does not belong to the certificate in \(certificate): use the one that the certificate was requested "
                + "with", certificate: certificate, key: other)
    }

    /// The key tells which certificate is the server's own.
    /// The digest of authorities that came as text is that of a file with the same text: tickets stay valid.
    @Test func authoritiesCanBeText() throws {
        let file = certificates.path("ec-root.pem")
        let text = Array(try String(contentsOfFile: file, encoding: .utf8).utf8)
        let context = try QUICTLSContext.client(caText: text, name: "the text")
        #expect(context.trust == (try QUICTLSContext.client(caFile: file)).trust)
        for (text, why) in [("", "it is empty"), ("no certificate\n", "it holds no certificate in PEM form")] {
            #expect(throws: QUICError.fileUnreadable(path: "the text", why: why)) {
                try QUICTLSContext.client(caText: Array(text.utf8), name: "the text")
            }
        }
    }

    @Test func aChainInTheWrongOrderIsNamed() throws {
        let certificate = try String(contentsOfFile: certificates.path("other.pem"), encoding: .utf8)
        let root = try String(contentsOfFile: certificates.path("ec-root.pem"), encoding: .utf8)
        let (right, wrong) = (try file(certificate + root), try file(root + certificate))
        let key = certificates.path("other.key")
        _ = try QUICTLSContext.server(certificateFile: right, keyFile: key)
        let why =
            "the certificates are in the wrong order: the one that the key belongs to is number 2 of the file, and has to "
            + "be the first, with its issuer behind it"
        #expect(throws: QUICError.fileUnreadable(path: wrong, why: why)) {
            try QUICTLSContext.server(certificateFile: wrong, keyFile: key)
        }
    }

    /// GnuTLS's text is part of a sentence that says what to do.
    @Test func damageIsNamed() throws {
        let certificate = try String(contentsOfFile: certificates.path("other.pem"), encoding: .utf8)
        var lines = certificate.split(separator: "\n")
        lines[1] = "AAAA" + lines[1].dropFirst(4)
        let damaged = try file(lines.joined(separator: "\n") + "\n")
        for body in [
            { _ = try QUICTLSContext.client(caFile: damaged) },
            {
                _ = try QUICTLSContext.server(
                    certificateFile: damaged, keyFile: certificates.path("other.key"))
            },
            { _ = try QUICCertificate.all(inFile: damaged) },
        ] {
            #expect {
                try body()
            } throws: { error in
                "\(error)".hasPrefix("cannot use \(damaged): a certificate in it cannot be read: it is damaged")
                    && "\(error)".hasSuffix("copy the file again")
            }
        }
    }

    @Test func theCertificatesOfAFileAreReadInItsOrder() throws {
        let chain = try QUICCertificate.all(inFile: certificates.path("ecdsa.pem"))
        #expect(chain.map(\.subject) == ["CN=broker.test,O=Test", "CN=EC intermediate,O=Test"])
        #expect(chain.map(\.issuer) == ["CN=EC intermediate,O=Test", "CN=EC root,O=Test"])
        #expect(chain.first?.names == ["broker.test", "*.devices.test"])
        #expect(try QUICCertificate.all(inFile: certificates.path("expired.pem")).first?.notAfter == 1_609_459_200)
        #expect(chain.map(\.isAuthority) == [false, true])
        let purposes = try ["ecdsa", "purpose", "ec-root"].map {
            try QUICCertificate.all(inFile: certificates.path("\($0).pem")).first?.excludesServers
        }
        #expect(purposes == [false, true, false])
        #expect(try QUICCertificate.all(inFile: certificates.path("expired.pem")).first?.isAuthority == nil)
    }

    @Test func keysAndQlogAreWrittenWhereAsked() throws {
        let folder = certificates.path(UUID().uuidString)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let keyLog = "\(folder)/keys"
        let tls = try QUICTLSContext.client(caFile: certificates.path("ec-root.pem"), keyLogFile: keyLog)
        do {
            let simulation = try Simulation(client: .test { $0.qlogDirectory = folder }, clientTLS: tls)
            #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
        }
        let lines = try String(contentsOfFile: keyLog, encoding: .utf8).split(separator: "\n")
        for label in [
            "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
            "SERVER_TRAFFIC_SECRET_0",
        ] {
            let fields = try #require(lines.first { $0.hasPrefix(label) }).split(separator: " ")
            #expect(fields.count == 3 && fields[1].count == 64 && fields[2].count >= 64)
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: keyLog)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let qlog = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix("_client.sqlog") })
        let events = try String(contentsOfFile: "\(folder)/\(qlog)", encoding: .utf8)
        #expect(events.contains("packet_sent") && events.contains("packet_received"))
    }

    @Test func aQlogThatCannotBeWrittenKeepsNothingFromConnecting() throws {
        let simulation = try Simulation(client: .test { $0.qlogDirectory = "/nowhere" })
        #expect(simulation.run(for: .seconds(5)) { simulation.client.isHandshakeConfirmed })
    }
}
