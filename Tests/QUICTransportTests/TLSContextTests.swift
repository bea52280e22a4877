import Foundation
import NIOCore
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
        expect(other, "the key does not belong to the certificate", certificate: certificate, key: other)
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
