import NIOCore

/// The connections of an endpoint, and how a datagram finds the one that it is for.
final class ConnectionTable {
    private var byKey: [ObjectIdentifier: QUICConnectionHandle] = [:]
    private var byID: [QUICConnectionID: QUICConnectionHandle] = [:]
    /// The connection that was found last, and usually is the next one, too, if there are few.
    private var latest: QUICConnectionHandle?
    private var latestID = QUICConnectionID()
    /// How often a datagram may still be compared with the reset tokens of all connections.
    private var resetBudget: ReplyBudget

    init(resetsPerSecond: Int) {
        resetBudget = ReplyBudget(perSecond: resetsPerSecond)
    }

    var isEmpty: Bool { byKey.isEmpty }
    var count: Int { byKey.count }
    var handles: Dictionary<ObjectIdentifier, QUICConnectionHandle>.Values { byKey.values }

    subscript(_ key: ObjectIdentifier) -> QUICConnectionHandle? { byKey[key] }

    subscript(_ id: QUICConnectionID) -> QUICConnectionHandle? {
        if let latest, id == latestID { return latest }
        guard let handle = byID[id] else { return nil }
        (latestID, latest) = (id, handle)
        return handle
    }

    func add(_ handle: QUICConnectionHandle) {
        byKey[handle.key] = handle
        handle.isKnown = true
        for id in handle.connection.connectionIDs { register(id, for: handle) }
    }

    func remove(_ handle: QUICConnectionHandle) {
        latest = nil
        for id in handle.registeredIDs { byID[id] = nil }
        handle.registeredIDs = []
        byKey[handle.key] = nil
        handle.isKnown = false
    }

    func removeAll() {
        for handle in byKey.values { handle.isKnown = false }
        latest = nil
        byKey.removeAll()
        byID.removeAll()
    }

    func register(_ id: QUICConnectionID, for handle: QUICConnectionHandle) {
        guard byID.updateValue(handle, forKey: id) == nil else { return }
        handle.registeredIDs.append(id)
    }

    func unregister(_ id: QUICConnectionID, of handle: QUICConnectionHandle) {
        latest = nil
        byID[id] = nil
        handle.registeredIDs.removeAll { $0 == id }
    }

    /// The connection that the datagram ends: a stateless reset comes under a connection ID of the peer's invention
    /// (RFC 9000 10.3), so all connections to its sender have to be asked. That has a budget, because anyone can send
    /// what looks like a reset.
    func connectionReset(
        by datagram: ByteBuffer, from remote: SocketAddress, at now: NIODeadline
    ) -> QUICConnectionHandle? {
        guard StatelessResetToken(endOf: datagram) != nil, resetBudget.take(at: now) else { return nil }
        return byKey.values.first { handle in
            handle.connection.remoteAddress == remote && handle.connection.isStatelessReset(datagram)
        }
    }
}
