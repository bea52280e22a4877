import CNGTCP2

/// What a handshake agreed on, for reports and logs.
package struct QUICTLSInfo: Sendable, Equatable {
    /// For example "TLS 1.3".
    package var version: String
    /// For example "AES-128-GCM".
    package var cipher: String
    /// The key exchange group, for example "X25519".
    package var group: String
    /// The peer's chain, its own certificate first. Empty for a client that sent none, and after the handshake unless
    /// ``QUICConfiguration/keepsPeerCertificates`` is set.
    package var peerCertificates: [QUICCertificate]
}

/// An X.509 certificate in outline.
package struct QUICCertificate: Sendable, Equatable {
    /// The distinguished name, for example "CN=mqtt.example.com,O=Example".
    package var subject: String
    /// The distinguished name of the issuer.
    package var issuer: String
    /// The subject alternative names: DNS names and IP addresses.
    package var names: [String]
    /// Seconds since 1970.
    package var notBefore: Int64
    /// Seconds since 1970.
    package var notAfter: Int64
    /// The kind of the public key and its size in bits, for example "RSA 2048" or "EC/ECDSA 256".
    package var key: String
    /// The algorithm of the issuer's signature, for example "RSA-SHA256" or "ECDSA-SHA256".
    package var signature: String
    /// Whether it may sign other certificates; `nil` if it does not say (it has no basic constraints).
    package var isAuthority: Bool?
    /// Whether it has an extended key usage that does not include TLS servers.
    package var excludesServers: Bool

    package init(
        subject: String, issuer: String, names: [String], notBefore: Int64, notAfter: Int64, key: String,
        signature: String = "", isAuthority: Bool? = nil, excludesServers: Bool = false
    ) {
        self.subject = subject
        self.issuer = issuer
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.key = key
        self.signature = signature
        self.isAuthority = isAuthority
        self.excludesServers = excludesServers
    }
}

extension QUICCertificate {
    /// The certificates of a PEM file, in its order: at least one.
    ///
    /// - Throws: `fileUnreadable`.
    package static func all(inFile path: String) throws(QUICError) -> [QUICCertificate] {
        var count = 0
        let (list, why) = withReason { bridge_quic_certificates_of_file(path, &count, $0) }
        guard let list else { throw .fileUnreadable(path: path, why: why) }
        defer { bridge_quic_certificates_free(list, count) }
        return UnsafeBufferPointer(start: list, count: count).map { QUICCertificate($0) }
    }

    init(_ certificate: bridge_quic_certificate) {
        let names = certificate.names.map { String(cString: $0) } ?? ""
        self.init(
            subject: certificate.subject.map { String(cString: $0) } ?? "",
            issuer: certificate.issuer.map { String(cString: $0) } ?? "",
            names: names.split(separator: "\n").map(String.init),
            notBefore: certificate.not_before,
            notAfter: certificate.not_after,
            key: certificate.key.map { String(cString: $0) } ?? "",
            signature: certificate.signature.map { String(cString: $0) } ?? "",
            isAuthority: certificate.authority < 0 ? nil : certificate.authority > 0,
            excludesServers: certificate.excludes_servers
        )
    }
}
