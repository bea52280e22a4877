/// How far the handshake of a connection has come, and what it agreed on.
struct Handshake {
    private(set) var isCompleted = false
    private(set) var isConfirmed = false
    /// The protocol that was agreed on (RFC 7301); `nil` before the handshake has completed.
    private(set) var alpn: String?
    /// Why the connection must end as soon as the ngtcp2 call that is under way has returned.
    private(set) var violation: QUICError?
    /// The versions that the server's Version Negotiation packet listed.
    var offeredVersions: [UInt32] = []
    /// Whether the keep-alive interval still has to be set. It takes effect with the handshake's confirmation, but
    /// cannot be set within a callback.
    private var isKeepAliveDue = false

    /// - Parameters:
    ///   - name: The protocol that TLS selected.
    ///   - offered: The protocols of this side's configuration.
    ///   - earlyName: The protocol of the early data that was accepted; `nil` if there was none.
    /// - Returns: The protocol, or `nil` if the connection must end because none was agreed on (RFC 9001 8.1).
    mutating func complete(alpn name: String?, offered: [String], earlyName: String?) -> String? {
        isCompleted = true
        // RFC 8446 4.2.10: accepted early data was of the previous connection's protocol, which must be this one's.
        guard let name, offered.contains(name), earlyName == nil || earlyName == name else {
            violation = .alpnRefused(offered: offered)
            return nil
        }
        alpn = name
        return name
    }

    /// - Returns: Whether the handshake is confirmed by this. It is not if it was confirmed before or must fail.
    mutating func confirm() -> Bool {
        guard !isConfirmed, violation == nil else { return false }
        isConfirmed = true
        isKeepAliveDue = true
        return true
    }

    /// Whether the keep-alive interval has to be set now: true once.
    mutating func takeKeepAlive() -> Bool {
        defer { isKeepAliveDue = false }
        return isKeepAliveDue
    }
}
