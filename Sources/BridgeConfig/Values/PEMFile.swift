/// Looks into a PEM file far enough to tell a wrong file from a right one. The TLS library does the rest.
enum PEMFile {
    /// Bundles of all public CAs are about 220 KB.
    private static let maximumSize = 4 * FileText.maximumSize

    /// What keeps `path` from being a file with at least one certificate; `nil` where it is one.
    static func problemWithCertificates(at path: String) -> FileText.Problem? {
        do {
            let content = try FileText.read(path, maximumSize: maximumSize)
            let text = text(of: content)
            if text.contains("-----BEGIN CERTIFICATE-----") { return nil }
            if text.contains("PRIVATE KEY-----") {
                return FileText.Problem(message: "holds a private key, not a certificate")
            }
            // An ASN.1 SEQUENCE with a length of two bytes: how every certificate begins.
            if content.bytes.starts(with: [0x30, 0x82]) {
                let command = "openssl x509 -inform der -in \(path) -out \(path).pem"
                return FileText.Problem(message: "is DER, not PEM; convert it: \(command)")
            }
            return FileText.Problem(message: "holds no PEM certificate (no line \"-----BEGIN CERTIFICATE-----\")")
        } catch {
            return error
        }
    }

    /// What keeps `path` from being a usable private key; `nil` where it is one. `isReadableByOthers` is set either
    /// way.
    static func problemWithKey(at path: String, isReadableByOthers: inout Bool) -> FileText.Problem? {
        do {
            let content = try FileText.read(path, maximumSize: maximumSize)
            isReadableByOthers = content.isReadableByOthers
            let text = text(of: content)
            if text.contains("ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
                let command = "openssl pkey -in \(path) -out new.key"
                return FileText.Problem(message: "is encrypted with a passphrase; take it off: \(command)")
            }
            if text.contains("PRIVATE KEY-----") { return nil }
            return FileText.Problem(message: "holds no PEM private key (no line \"-----BEGIN PRIVATE KEY-----\")")
        } catch {
            return error
        }
    }

    /// Between its PEM blocks a file may hold text in any encoding.
    private static func text(of content: FileText.Content) -> String {
        String(decoding: content.bytes, as: UTF8.self)
    }
}
