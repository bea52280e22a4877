import BridgeCore
import NIOCore

/// The connections of the mapping `mux` that devices of one event loop share.
///
/// Devices go to the oldest connection with room, so that the others can run empty and be closed.
struct SharedConnections {
    /// `uplink.devices_per_connection`.
    private let devicesPerConnection: Int
    /// What one takes, as long as the server has not said so.
    private let usualCapacity: Int
    /// One is kept for devices to come, although it carries nobody.
    private let keepsOne: Bool
    /// In the order in which they were made.
    private var connections: [UplinkConnection] = []

    init(devicesPerConnection: Int, usualCapacity: Int? = nil, keepsOne: Bool = false) {
        self.devicesPerConnection = devicesPerConnection
        self.usualCapacity = usualCapacity ?? devicesPerConnection
        self.keepsOne = keepsOne
    }

    /// Devices that a connection takes, which may be fewer than the operator allows: that is the server's to say.
    /// Never 0.
    var capacity: Int {
        max(connections.map { $0.legCount + space(on: $0) }.max() ?? usualCapacity, 1)
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
        !connections.contains { $0.legCount == 0 && !$0.isSilent } && !hasReserve(besides: nil)
    }

    /// Whether it carries nobody, and the others have room enough.
    func isSuperfluous(_ connection: UplinkConnection) -> Bool {
        guard connection.legCount == 0 else { return false }
        return connections.count == 1 ? !keepsOne : hasReserve(besides: connection)
    }

    /// Room for a tenth of what one connection takes.
    private func hasReserve(besides excluded: UplinkConnection?) -> Bool {
        let left = connections.reduce(0) { $1 === excluded ? $0 : $0 + room(on: $1) }
        return left >= max(capacity / 10, 1)
    }

    /// One of the broker's connections has come to nothing: what carries devices beside it has to show that it is better.
    func doubt(besides connection: UplinkConnection, at now: NIODeadline) {
        for other in connections where other !== connection { other.doubt(at: now) }
    }

    private func room(on connection: UplinkConnection) -> Int {
        connection.isSilent ? 0 : space(on: connection)
    }

    private func space(on connection: UplinkConnection) -> Int {
        max(min(devicesPerConnection - connection.legCount, connection.availableStreams), 0)
    }
}
