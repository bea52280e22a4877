import NIOCore

/// The connections of the admin endpoint, all of one event loop, which keeps them within the limits.
final class ConnectionBook {
    let limits: AdminLimits
    private var connections: [ObjectIdentifier: ConnectionGuard] = [:]
    private var isEnding = false
    private let arrival: AsyncStream<Void>.Continuation

    /// - Parameter arrival: Gets an element when there is a connection again.
    init(limits: AdminLimits, arrival: AsyncStream<Void>.Continuation) {
        self.limits = limits
        self.arrival = arrival
    }

    var isEmpty: Bool { connections.isEmpty }

    /// Lets a connection in, at the cost of an idle one if there are too many. Returns `false` if it has to go.
    func admit(_ connection: ConnectionGuard) -> Bool {
        guard !isEnding else { return false }
        if connections.count >= limits.connections {
            let idle = connections.values.filter(\.watch.isIdle).min { $0.watch.idleSince < $1.watch.idleSince }
            guard let idle else { return false }
            remove(idle)
            idle.close()
        }
        connections[ObjectIdentifier(connection)] = connection
        if connections.count == 1 { arrival.yield() }
        return true
    }

    func remove(_ connection: ConnectionGuard) {
        connections[ObjectIdentifier(connection)] = nil
    }

    /// Closes the connections whose clients take too long.
    func sweep(at now: NIODeadline) {
        for connection in Array(connections.values) where connection.watch.isOverdue(at: now, limits) {
            connection.close()
        }
    }

    /// Closes every connection, whatever is under way, and takes no more.
    func end() {
        isEnding = true
        for connection in Array(connections.values) { connection.close() }
    }
}
