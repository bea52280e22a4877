import BridgeCore

extension CredentialFiles {
    /// Until when the program's own certificate and the CAs that it trusts are valid. In a bundle of CAs, the one that
    /// is valid longest counts, because not all of them have to be.
    var expiries: [StatusReport.Certificate] {
        files.compactMap { file in
            let chain = certificates(of: file)
            switch file.kind {
            case .chain:
                let role = file.key.hasPrefix("uplink.") ? "uplink client" : "server"
                return chain.first.map { Self.expiry(role, $0) }
            case .authorities:
                return chain.max { $0.notAfter < $1.notAfter }.map { Self.expiry("CA", $0) }
            case .key, .users, .other:
                return nil
            }
        }
    }

    private static func expiry(_ role: String, _ certificate: CertificateOutline) -> StatusReport.Certificate {
        StatusReport.Certificate(role: role, subject: certificate.subject, expiresAt: Double(certificate.notAfter))
    }
}
