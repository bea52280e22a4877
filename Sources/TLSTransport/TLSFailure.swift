import QUICTransport

/// Why there is no TLS connection: `description` says in one line what happened and what to check.
package struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let kind: ConnectFailure
    package let description: String
    /// Whether the server demands a certificate of the client, or does not accept the one that it has.
    package let concernsClientCertificate: Bool

    package init(_ kind: ConnectFailure, _ description: String, concernsClientCertificate: Bool = false) {
        self.kind = kind
        self.description = description
        self.concernsClientCertificate = concernsClientCertificate
    }
}
