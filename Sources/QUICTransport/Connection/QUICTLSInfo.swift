/// What a handshake agreed on, for reports and logs.
package struct QUICTLSInfo: Sendable, Equatable {
    /// "TLS 1.3"
    package var version: String
    /// "AES-128-GCM"
    package var cipher: String
    /// The key exchange group, "X25519".
    package var group: String
    /// The peer's chain, its own certificate first. Empty for a client that showed none.
    package var peerCertificates: [QUICCertificate]
}

/// An X.509 certificate in outline.
package struct QUICCertificate: Sendable, Equatable {
    /// The distinguished name, "CN=mqtt.example.com,O=Example".
    package var subject: String
    package var issuer: String
    /// The subject alternative names: DNS names and IP addresses.
    package var names: [String]
    /// Seconds since 1970.
    package var notBefore: Int64
    /// Seconds since 1970.
    package var notAfter: Int64
    /// "RSA 2048", "EC/ECDSA 256"
    package var key: String
}
