import BridgeCore
import Testing

/// What is said about a file that is not what it should be.
@Suite struct CredentialFileTests {
    private static func pem(_ label: String, _ body: String = "MAA=") -> [UInt8] {
        Array("-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n".utf8)
    }

    /// A byte order mark, which some editors put before a file.
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static func carriageReturns(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: "\r") : $0 }
    }

    // The beginnings of files of these kinds.
    private static let pkcs12: [UInt8] = [0x30, 0x82, 0x03, 0, 0x02, 1, 3, 0x30, 0x82, 0x02, 0]
    private static let certificate: [UInt8] = [0x30, 0x82, 0x03, 0, 0x30, 0x82, 0x02, 0, 0xA0, 3, 2, 1, 2]
    private static let oldCertificate: [UInt8] = [0x30, 0x82, 0x03, 0, 0x30, 0x82, 0x02, 0, 0x02, 1, 7]
    private static let pkcs8: [UInt8] = [0x30, 0x81, 0x87, 0x02, 1, 0, 0x30, 0x13]
    private static let pkcs1: [UInt8] = [0x30, 0x82, 0x04, 0xA4, 0x02, 1, 0, 0x02, 0x82, 1, 1]
    private static let sec1: [UInt8] = [0x30, 0x77, 0x02, 1, 1, 0x04, 0x20]
    private static let encrypted: [UInt8] = [0x30, 0x81, 0xEC, 0x30, 0x57, 0x06, 0x09, 0x2A]
    private static let keystore: [UInt8] = [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2]

    @Test(
        arguments: [
            (pem("CERTIFICATE"), nil), (pem("X509 CERTIFICATE"), nil), (pem("PRIVATE KEY") + pem("CERTIFICATE"), nil),
            (Array("subject=...\n".utf8) + pem("CERTIFICATE", "MA\r\nA="), nil),
            (mark + pem("CERTIFICATE"), nil), (carriageReturns(pem("CERTIFICATE") + pem("CERTIFICATE", "MA\nA=")), nil),
            (mark, "holds no PEM certificate"), (mark + mark + pem("CERTIFICATE"), "holds no PEM certificate"),
            (
                carriageReturns(pem("CERTIFICATE") + pem("CERTIFICATE").dropLast(20)),
                "is cut off: the certificate that begins in line 4 "
            ),
            ([], "is empty"),
            (pkcs12, "is PKCS#12 (.p12, .pfx), not PEM; extract its parts: openssl pkcs12 -in P -nokeys"),
            (certificate, "is DER, not PEM; convert it: openssl x509 -inform der -in P -out P.pem"),
            (oldCertificate, "is DER, not PEM; convert it: openssl x509"),
            (pkcs8, "holds a private key in DER form"), (sec1, "holds a private key in DER form"),
            (encrypted, "holds a private key in DER form"),
            (keystore, "is a Java keystore"), ([0xFF, 0xFE, 0x2D, 0], "is UTF-16 text"),
            (pem("EC PRIVATE KEY"), "holds a private key, not a certificate"),
            (pem("CERTIFICATE REQUEST"), "holds a certificate request"),
            (pem("PKCS7"), "is PKCS#7, not PEM certificates; convert it: openssl pkcs7 -print_certs"),
            (pem("TRUSTED CERTIFICATE"), "is in OpenSSL's own trusted form; convert it: openssl x509 -in P"),
            (Array("hello".utf8), "holds no PEM certificate (no line"),
            (pem("CERTIFICATE", "MAE="), "is damaged: the certificate that begins in line 1"),
            (pem("CERTIFICATE", "M?A="), "is damaged"), (pem("CERTIFICATE") + pem("CERTIFICATE", ""), "is damaged"),
            (
                pem("CERTIFICATE") + pem("CERTIFICATE").dropLast(20),
                "is cut off: the certificate that begins in line 4 has no line \"-----END CERTIFICATE-----\""
            ),
            (Array("-----BEGIN CERTIFICATE-----\nMAA=\n".utf8) + pem("CERTIFICATE"), "is cut off"),
        ] as [([UInt8], String?)])
    func certificates(_ bytes: [UInt8], _ expected: String?) {
        let problem = CredentialFile.problem(withCertificates: bytes, at: "P")
        #expect(expected.map { problem?.hasPrefix($0) == true } ?? (problem == nil), "\(problem ?? "none")")
    }

    @Test(
        arguments: [
            (pem("PRIVATE KEY"), nil), (pem("RSA PRIVATE KEY"), nil), (pem("CERTIFICATE") + pem("EC PRIVATE KEY"), nil),
            (pem("EC PARAMETERS") + pem("EC PRIVATE KEY"), nil),
            (mark + pem("PRIVATE KEY"), nil), (mark + carriageReturns(pem("EC PRIVATE KEY")), nil),
            (
                carriageReturns(pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nMAA=")),
                "is encrypted with a passphrase"
            ),
            (pkcs12, "is PKCS#12 (.p12, .pfx), not PEM; extract its parts: "),
            (pkcs8, "is DER, not PEM; convert it: openssl pkey -inform der -in P -out P.pem"),
            (pkcs1, "is DER, not PEM"), (sec1, "is DER, not PEM"),
            (encrypted, "is DER, not PEM, and encrypted with a passphrase; convert it: openssl pkcs8 -inform der"),
            (certificate, "holds a certificate in DER form, not a private key"),
            (pem("ENCRYPTED PRIVATE KEY"), "is encrypted with a passphrase; remove it: openssl pkey -in P"),
            (pem("RSA PRIVATE KEY", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nMAA="), "is encrypted with a passphrase"),
            (pem("OPENSSH PRIVATE KEY"), "is an OpenSSH key"),
            (pem("CERTIFICATE"), "holds no PEM private key, but a certificate"),
            (pem("PUBLIC KEY"), "holds no PEM private key, but a public one"),
            (Array("hello".utf8), "holds no PEM private key (no line"),
            (pem("PRIVATE KEY", "MA=="), "is damaged: the key that begins in line 1"),
            (Array(pem("PRIVATE KEY").dropLast(8)), "is cut off: the key that begins in line 1"),
        ] as [([UInt8], String?)])
    func key(_ bytes: [UInt8], _ expected: String?) {
        let problem = CredentialFile.problem(withKey: bytes, at: "P")
        #expect(expected.map { problem?.hasPrefix($0) == true } ?? (problem == nil), "\(problem ?? "none")")
    }

    /// No bytes in a file can trap.
    @Test func anyBytesCanBeExamined() {
        for sample in [Self.pkcs12, Self.certificate, Self.encrypted, Self.pem("CERTIFICATE"), Self.keystore] {
            for count in 0...sample.count {
                _ = CredentialFile.problem(withCertificates: Array(sample.prefix(count)), at: "P")
                _ = CredentialFile.problem(withKey: Array(sample.prefix(count)), at: "P")
            }
            for index in sample.indices {
                var bytes = sample
                bytes[index] = 0xFF
                _ = CredentialFile.problem(withCertificates: bytes, at: "P")
                _ = CredentialFile.problem(withKey: bytes, at: "P")
            }
        }
    }
}
