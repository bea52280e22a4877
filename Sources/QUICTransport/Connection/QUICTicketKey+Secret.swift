import CNGTCP2

extension QUICTicketKey {
    /// 32 bytes that follow from the key and from `label`, and from which the key does not (HMAC-SHA256). For a server's
    /// ``QUICServerConfiguration/secret``, so that one file keeps all that has to survive a restart.
    package func secret(for label: String) -> [UInt8] {
        var secret = [UInt8](repeating: 0, count: Int(BRIDGE_QUIC_SECRET_LENGTH))
        let label = Array(label.utf8)
        guard bridge_quic_derive_secret(bytes, bytes.count, label, label.count, &secret) else {
            preconditionFailure("GnuTLS has no HMAC-SHA256")
        }
        return secret
    }
}
