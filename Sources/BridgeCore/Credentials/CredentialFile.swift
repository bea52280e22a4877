/// Examines a file that should contain certificates or a key. If it is something else, this says what it is and what to
/// do about it. The TLS library still decides whether the certificates or the key are valid.
package enum CredentialFile {
    /// Why the file cannot be used as a file of certificates; `nil` if it can.
    /// - Parameter path: The path for the commands in the text.
    package static func problem(withCertificates bytes: [UInt8], at path: String) -> String? {
        if let problem = emptyOrForeign(bytes, path) { return problem }
        let blocks = PEMBlock.all(in: bytes)
        let certificates = blocks.filter { $0.label == "CERTIFICATE" || $0.label == "X509 CERTIFICATE" }
        guard certificates.isEmpty else { return damage(in: certificates, "certificate") }
        if let kind = Binary(bytes) {
            switch kind {
            case .privateKey, .encryptedKey: return "holds a private key in DER form, not a certificate"
            case .certificate:
                return "is DER, not PEM; convert it: openssl x509 -inform der -in \(path) -out \(path).pem"
            }
        }
        if blocks.contains(where: { $0.label.hasSuffix("PRIVATE KEY") }) {
            return "holds a private key, not a certificate"
        }
        switch blocks.first?.label {
        case "CERTIFICATE REQUEST"?, "NEW CERTIFICATE REQUEST"?:
            return "holds a certificate request, not a certificate; use the certificate that the CA issued for it"
        case "PKCS7"?:
            return
                "is PKCS#7, not PEM certificates; convert it: openssl pkcs7 -print_certs -in \(path) -out \(path).pem"
        case "TRUSTED CERTIFICATE"?:
            return "is in OpenSSL's own trusted form; convert it: openssl x509 -in \(path) -out \(path).pem"
        default:
            return "holds no PEM certificate (no line \"-----BEGIN CERTIFICATE-----\")"
        }
    }

    /// Why the file cannot be used as a file with a private key; `nil` if it can.
    /// - Parameter path: The path for the commands in the text.
    package static func problem(withKey bytes: [UInt8], at path: String) -> String? {
        if let problem = emptyOrForeign(bytes, path) { return problem }
        let blocks = PEMBlock.all(in: bytes)
        if let key = blocks.first(where: { $0.label.hasSuffix("PRIVATE KEY") }) {
            if key.isEncrypted {
                return "is encrypted with a passphrase; remove it: openssl pkey -in \(path) -out new.key"
            }
            if key.label == "OPENSSH PRIVATE KEY" {
                return "is an OpenSSH key; convert a copy of it: ssh-keygen -p -m PEM -f COPY"
            }
            return damage(in: [key], "key")
        }
        if let kind = Binary(bytes) {
            switch kind {
            case .privateKey:
                return "is DER, not PEM; convert it: openssl pkey -inform der -in \(path) -out \(path).pem"
            case .encryptedKey:
                let command = "openssl pkcs8 -inform der -in \(path) -out \(path).pem"
                return "is DER, not PEM, and encrypted with a passphrase; convert it: \(command)"
            case .certificate: return "holds a certificate in DER form, not a private key"
            }
        }
        switch blocks.first?.label {
        case "CERTIFICATE"?:
            return "holds no PEM private key, but a certificate; use the private key that belongs to it"
        case "PUBLIC KEY"?, "RSA PUBLIC KEY"?: return "holds no PEM private key, but a public one"
        default: return "holds no PEM private key (no line \"-----BEGIN PRIVATE KEY-----\")"
        }
    }

    // MARK: - Kinds

    private static func emptyOrForeign(_ bytes: [UInt8], _ path: String) -> String? {
        if bytes.isEmpty { return "is empty" }
        if bytes.starts(with: [0xFE, 0xED, 0xFE, 0xED]) {
            let command = "keytool -importkeystore -srckeystore \(path) -destkeystore store.p12 -deststoretype PKCS12"
            return "is a Java keystore; convert it to PKCS#12 (\(command)), and then to PEM"
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return "is UTF-16 text; save it as plain text (ASCII or UTF-8)"
        }
        guard isPKCS12(bytes) else { return nil }
        let certificates = "openssl pkcs12 -in \(path) -nokeys -out certificate.pem"
        let key = "openssl pkcs12 -in \(path) -nocerts -nodes -out private.key"
        return "is PKCS#12 (.p12, .pfx), not PEM; extract its parts: \(certificates), and \(key)"
    }

    /// PKCS#12 is a SEQUENCE of the version, 3, and a SEQUENCE (RFC 7292 4). The version of a key is 0 or 1.
    private static func isPKCS12(_ bytes: [UInt8]) -> Bool {
        let parts = DER.contents(of: bytes[...])
        return parts.count == 2 && parts[0].starts(with: [DER.integer, 1, 3]) && parts[1].first == DER.sequence
    }

    /// The kind of a file in DER form.
    private enum Binary {
        case certificate
        case privateKey
        case encryptedKey

        init?(_ bytes: [UInt8]) {
            let parts = DER.contents(of: bytes[...])
            guard let first = parts.first else { return nil }
            // Keys in PKCS#8, PKCS#1 and SEC 1 begin with a version.
            if first.first == DER.integer {
                self = .privateKey
                return
            }
            // An encrypted key begins with the SEQUENCE of its algorithm, which begins with the name of the algorithm. A
            // certificate begins with another SEQUENCE.
            guard first.first == DER.sequence else { return nil }
            self = DER.contents(of: first).first?.first == DER.objectIdentifier ? .encryptedKey : .certificate
        }
    }

    // MARK: - Damage

    private static func damage(in blocks: [PEMBlock], _ what: String) -> String? {
        for block in blocks {
            let begins = "the \(what) that begins in line \(block.line)"
            guard block.hasEnd else {
                return "is cut off: \(begins) has no line \"-----END \(block.label)-----\"; copy the file again"
            }
            // Headers (RFC 1421) may come before the Base64.
            let hasHeaders = block.body.contains { $0.contains(UInt8(ascii: ":")) }
            if !hasHeaders, block.contents == nil {
                return "is damaged: \(begins) is no longer whole; copy the file again"
            }
        }
        return nil
    }
}
