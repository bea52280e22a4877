import CNGTCP2

extension QUICTicketKey {
    /// Derives 32 bytes from the key and `label` (HMAC-SHA256), from which the key cannot be derived. They can serve as
    /// a server's ``QUICServerConfiguration/secret``, so that one file keeps all that has to survive a restart.
    package func secret(for label: String) -> [UInt8] {
        var secret = [UInt8](repeating: 0, count: Int(BRIDGE_QUIC_SECRET_LENGTH))
        let label = Array(label.utf8)
        guard bridge_quic_derive_secret(bytes, bytes.count, label, label.count, &secret) else {
            preconditionFailure("GnuTLS has no HMAC-SHA256")
        }
        return secret
    }

    /// The key for tickets of a server that asks for certificates of this CA, or for none at all if it is `nil`. A client
    /// that returns with a ticket is not asked for its certificate again, so a ticket must not outlive a change of what
    /// is asked for (RFC 8446 4.6.1).
    package func bound(to clientCA: [UInt8]?) -> QUICTicketKey {
        guard let clientCA else { return self }
        let digest = (SHA256.digest(of: clientCA) ?? clientCA).map { "\($0)" }.joined(separator: ",")
        let bytes = (1...2).flatMap { secret(for: "mqtt-quic-bridge serve: tickets for a client CA, \($0), \(digest)") }
        return QUICTicketKey(bytes: bytes) ?? QUICTicketKey()
    }
}
