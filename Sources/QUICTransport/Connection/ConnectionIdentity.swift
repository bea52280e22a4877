import NIOCore

/// The values by which a datagram is known to be for a connection.
struct ConnectionIdentity {
    /// The connection IDs that datagrams for this side may carry.
    private(set) var ids: [QUICConnectionID] = []
    /// The tokens of the peer's stateless resets: one for each of its connection IDs in use, of which there are a few.
    private var resetTokens: [StatelessResetToken] = []

    mutating func add(_ id: QUICConnectionID) {
        ids.append(id)
    }

    mutating func remove(_ id: QUICConnectionID) {
        ids.removeAll { $0 == id }
    }

    mutating func setToken(_ token: StatelessResetToken, isValid: Bool) {
        resetTokens.removeAll { $0 == token }
        if isValid { resetTokens.append(token) }
    }

    func isStatelessReset(_ datagram: ByteBuffer) -> Bool {
        guard let token = StatelessResetToken(endOf: datagram) else { return false }
        return resetTokens.contains(token)
    }
}
