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
}
