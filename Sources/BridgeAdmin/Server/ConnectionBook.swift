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

    /// Lets a connection in, at the cost of an idle one if there are too many. Returns why it has to go; `nil` if it may
    /// stay.
    func refusal(of connection: ConnectionGuard) -> String? {
        guard !isEnding else { return "the program is ending" }
        let neighbours = connections.values.filter { $0.address == connection.address }
        if neighbours.count >= limits.connectionsPerAddress {
            guard makeRoom(among: neighbours) else {
                return "too many connections from one address: at most \(limits.connectionsPerAddress) at once"
            }
        } else if connections.count >= limits.connections {
            guard makeRoom(among: Array(connections.values)) else {
                return "too many connections: at most \(limits.connections) at once"
            }
        }
        connections[ObjectIdentifier(connection)] = connection
        if connections.count == 1 { arrival.yield() }
        return nil
    }

    /// Closes the connection that has been idle the longest. Returns `false` if none is idle.
    private func makeRoom(among candidates: [ConnectionGuard]) -> Bool {
        let idle = candidates.filter(\.watch.isIdle).min { $0.watch.idleSince < $1.watch.idleSince }
        guard let idle else { return false }
        remove(idle)
        idle.close()
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
