/// Looks at a file of certificates or of a key, to name what it is where it is not what is wanted, with what to do about
/// it. Whether what it holds is any good is for the TLS library to say.
package enum CredentialFile {
    /// What keeps the file from being one of certificates; `nil` where nothing does.
    /// - Parameter path: for the commands in the answer.
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
            return "holds a certificate request, not a certificate; what the CA made of it is wanted"
        case "PKCS7"?:
            return
                "is PKCS#7, not PEM certificates; convert it: openssl pkcs7 -print_certs -in \(path) -out \(path).pem"
        case "TRUSTED CERTIFICATE"?:
            return "is in a form of OpenSSL's own; convert it: openssl x509 -in \(path) -out \(path).pem"
        default:
            return "holds no PEM certificate (no line \"-----BEGIN CERTIFICATE-----\")"
        }
    }

    /// What keeps the file from being one with a private key; `nil` where nothing does.
    package static func problem(withKey bytes: [UInt8], at path: String) -> String? {
        if let problem = emptyOrForeign(bytes, path) { return problem }
        let blocks = PEMBlock.all(in: bytes)
        if let key = blocks.first(where: { $0.label.hasSuffix("PRIVATE KEY") }) {
            if key.isEncrypted {
                return "is encrypted with a passphrase; take it off: openssl pkey -in \(path) -out new.key"
            }
            if key.label == "OPENSSH PRIVATE KEY" {
                return "is a key of OpenSSH; convert a copy of it: ssh-keygen -p -m PEM -f COPY"
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
            return "holds no PEM private key, but a certificate; the key that it was made for is wanted"
        case "PUBLIC KEY"?, "RSA PUBLIC KEY"?: return "holds no PEM private key, but a public one"
        default: return "holds no PEM private key (no line \"-----BEGIN PRIVATE KEY-----\")"
        }
    }

    /// The PEM text of a file as BoringSSL takes it, which is stricter than GnuTLS: without a byte order mark, and with
    /// ends of lines that have an LF.
    package static func plainText(of bytes: [UInt8]) -> [UInt8] {
        let (cr, lf) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        let text = bytes.withoutByteOrderMark
        return text.indices.map { index in
            text[index] == cr && (index + 1 == text.endIndex || text[index + 1] != lf) ? lf : text[index]
        }
    }

    // MARK: - Kinds

    private static func emptyOrForeign(_ bytes: [UInt8], _ path: String) -> String? {
        if bytes.isEmpty { return "is empty" }
        if bytes.starts(with: [0xFE, 0xED, 0xFE, 0xED]) {
            let command = "keytool -importkeystore -srckeystore \(path) -destkeystore store.p12 -deststoretype PKCS12"
            return "is a Java keystore; make it PKCS#12 first (\(command)), and that PEM"
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            return "is UTF-16 text; save it as plain text (ASCII or UTF-8)"
        }
        guard isPKCS12(bytes) else { return nil }
        let certificates = "openssl pkcs12 -in \(path) -nokeys -out certificate.pem"
        let key = "openssl pkcs12 -in \(path) -nocerts -nodes -out private.key"
        return "is PKCS#12 (.p12, .pfx), not PEM; take it apart: \(certificates), and \(key)"
    }

    /// RFC 7292 4: a SEQUENCE of the version, 3, and a SEQUENCE. A key's version is 0 or 1.
    private static func isPKCS12(_ bytes: [UInt8]) -> Bool {
        let parts = DER.contents(of: bytes[...])
        return parts.count == 2 && parts[0].starts(with: [DER.integer, 1, 3]) && parts[1].first == DER.sequence
    }

    /// What a file in DER form is.
    private enum Binary {
        case certificate
        case privateKey
        case encryptedKey

        init?(_ bytes: [UInt8]) {
            let parts = DER.contents(of: bytes[...])
            guard let first = parts.first else { return nil }
            // PKCS#8 and PKCS#1 begin with a version, and so does a key of SEC 1.
            if first.first == DER.integer {
                self = .privateKey
                return
            }
            // Both begin with a SEQUENCE: of an encrypted key it is the algorithm's, which begins with its name.
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
            // Headers as of RFC 1421 stand before the Base64.
            let hasHeaders = block.body.contains { $0.contains(UInt8(ascii: ":")) }
            if !hasHeaders, block.contents == nil {
                return "is damaged: \(begins) is no longer whole; copy the file again"
            }
        }
        return nil
    }
}
