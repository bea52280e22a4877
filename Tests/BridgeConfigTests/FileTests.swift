import BridgeCore
import Foundation
import Testing

@testable import BridgeConfig

/// Files that are not there, or not what they should be.
struct FileTests {
    @Test func configurationFile() throws {
        let folder = try TemporaryFolder()
        let latin1 = try folder.write("latin1.yaml", Data([0x61, 0x3A, 0x20, 0xE9]))
        let huge = try folder.write("huge.yaml", Data(repeating: 0x23, count: FileText.maximumSize + 1))
        let advice = "copy bridge.yaml.example to begin with, or name the file with --config"
        #expect(errors(file: folder.path + "/none") == ["\(folder.path)/none: no such file; \(advice)"])
        #expect(errors(file: folder.path) == ["\(folder.path): is a folder, not a file"])
        #expect(errors(file: latin1) == ["\(latin1): is not UTF-8 text"])
        #expect(errors(file: huge) == ["\(huge): is larger than 1MiB"])
    }

    @Test func dotEnvFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bridge.yaml", minimal)
        #expect(errors(file: file) == [])
        #expect(errors(file: file, envFile: folder.path + "/none") == ["\(folder.path)/none: no such file"])
        let beside = try folder.write(".env", "BRIDGE_THREADS=0")
        #expect(errors(file: file).first?.hasPrefix("\(beside):1: BRIDGE_THREADS: threads: 0 is out of range") == true)
    }

    @Test func byteOrderMark() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bridge.yaml", "\u{FEFF}" + minimal)
        try folder.write(".env", "\u{FEFF}BRIDGE_THREADS=2")
        #expect(try ConfigurationLoader.load(.run, file: file, environment: [:]).configuration.threads == 2)
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything")) func unreadable() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bridge.yaml", minimal, mode: 0o000)
        #expect(errors(file: file) == ["\(file): this user may not read it; check owner and mode"])
    }

    @Test(arguments: [
        ("", "is empty"), ("text", "holds no PEM certificate (no line \"-----BEGIN CERTIFICATE-----\")"),
        (TemporaryFolder.key, "holds a private key, not a certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n",
            "is cut off: the certificate that begins in line 1 has no line \"-----END CERTIFICATE-----\"; copy the file again"
        ),
        (
            "\n-----BEGIN CERTIFICATE-----\nAAA=\n-----END CERTIFICATE-----",
            "is damaged: the certificate that begins in line 2 is no longer whole; copy the file again"
        ),
    ])
    func noCA(_ content: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("ca.pem", content)
        let lines = try BridgeConfigTests.errors(minimal, folder: folder)
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("bridge.yaml:1:38: uplink.ca: DIR/ca.pem: \(message); a TESAIoT bundle") == true)
    }

    @Test func caInDER() throws {
        let folder = try TemporaryFolder()
        try folder.write("ca.pem", Data([0x30, 0x82, 0x01, 0x00, 0x30, 0x81, 0xA0, 0xA0, 0x03]))
        let lines = try BridgeConfigTests.errors(minimal, folder: folder)
        #expect(lines.first?.contains("is DER, not PEM; convert it: openssl x509 -inform der") == true)
    }

    /// Some tools write the certificate's fields before the PEM block, in any encoding.
    @Test func caWithOtherText() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "ca.pem", Data("Issuer: Z\u{E9}".utf8.dropLast()) + Data("\n\(TemporaryFolder.certificate)".utf8))
        #expect(try BridgeConfigTests.errors(minimal, folder: folder) == [])
    }

    @Test(arguments: [
        (TemporaryFolder.key, nil), (TemporaryFolder.pem("EC PRIVATE KEY"), nil),
        (TemporaryFolder.pem("EC PARAMETERS") + TemporaryFolder.pem("EC PRIVATE KEY"), nil),
        (TemporaryFolder.certificate + TemporaryFolder.key, nil),
        (TemporaryFolder.pem("ENCRYPTED PRIVATE KEY"), "is encrypted with a passphrase; remove it: openssl pkey"),
        (TemporaryFolder.pem("OPENSSH PRIVATE KEY"), "is an OpenSSH key; convert a copy of it: ssh-keygen -p -m PEM"),
        (TemporaryFolder.certificate, "holds no PEM private key, but a certificate"),
        ("-----BEGIN PRIVATE KEY-----\nMAA=", "is cut off: the key that begins in line 1 has no line"),
    ])
    func clientKey(_ content: String, _ message: String?) throws {
        let folder = try TemporaryFolder()
        try folder.write("k.pem", content)
        let text = "uplink: {host: a, ca: ca.pem, client_certificate: ca.pem, client_key: k.pem}"
        let lines = try BridgeConfigTests.errors(text, folder: folder)
        #expect(lines.isEmpty == (message == nil))
        #expect(lines.allSatisfy { $0.contains(message ?? "") })
    }

    @Test func debuggingFiles() throws {
        let folder = try TemporaryFolder()
        let text = "uplink: {host: a, ca: ca.pem, tls_key_log: keys.log, qlog: .}"
        let loaded = try ConfigurationLoader.load(.run, text: text, folder: folder.path)
        #expect(loaded.configuration.uplink.tlsKeyLogFile == folder.path + "/keys.log")
        #expect(
            loaded.warnings == [
                "bridge.yaml:1:44: uplink.tls_key_log: anyone who has this file can read all traffic; use it for debugging only"
            ])
    }

    private func errors(file: String, envFile: String? = nil) -> [String] {
        do {
            _ = try ConfigurationLoader.load(.run, file: file, envFile: envFile, environment: [:])
            return []
        } catch {
            return error.all.map(\.description)
        }
    }
}
