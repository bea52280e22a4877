import BridgeCore
import NIOCore

/// The connections of the mapping `mux` that devices of one event loop share.
///
/// Devices go to the oldest connection with room, so that the others can run empty and be closed.
struct SharedConnections {
    /// `uplink.devices_per_connection`.
    let devicesPerConnection: Int
    /// In the order in which they were made.
    private var connections: [UplinkConnection] = []

    init(devicesPerConnection: Int) {
        self.devicesPerConnection = devicesPerConnection
    }

    var isEmpty: Bool { connections.isEmpty }
    var all: [UplinkConnection] { connections }

    mutating func add(_ connection: UplinkConnection) {
        connections.append(connection)
    }

    /// False where it was none of these.
    mutating func remove(_ connection: UplinkConnection) -> Bool {
        guard let index = connections.firstIndex(where: { $0 === connection }) else { return false }
        connections.remove(at: index)
        return true
    }

    /// One that takes another device now.
    var withRoom: UplinkConnection? {
        connections.first { room(on: $0) > 0 }
    }

    /// A server that does not even allow the first stream yet: another connection would not help.
    var awaitsFirstStream: Bool {
        connections.contains { $0.legCount == 0 && $0.availableStreams == 0 }
    }

    /// Whether so little room is left that the next connection should be on its way.
    var isNearlyFull: Bool {
        !connections.contains { $0.legCount == 0 } && !hasReserve(besides: nil)
    }

    /// Whether it carries nobody, and the others have room enough.
    func isSuperfluous(_ connection: UplinkConnection) -> Bool {
        connection.legCount == 0 && (connections.count == 1 || hasReserve(besides: connection))
    }

    /// A tenth of what one connection takes, which may be less than the operator allows: that is the server's to say.
    private func hasReserve(besides excluded: UplinkConnection?) -> Bool {
        let others = connections.filter { $0 !== excluded }
        let capacity = others.map { $0.legCount + room(on: $0) }.max() ?? 0
        return others.reduce(0) { $0 + room(on: $1) } >= max(capacity / 10, 1)
    }

    private func room(on connection: UplinkConnection) -> Int {
        max(min(devicesPerConnection - connection.legCount, connection.availableStreams), 0)
    }
}
