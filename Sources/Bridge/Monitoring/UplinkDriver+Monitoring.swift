import BridgeCore
import NIOCore

extension UplinkDriver {
    /// What its connections say about the broker now.
    ///
    /// With thousands of connections of one device each, one out of many shows as much as all of them, and looking at all
    /// would stall the loop: at most ``mostLookedAt`` are looked at, and the others counted like them.
    var standing: UplinkRecord.Connections {
        var found = UplinkRecord.Connections()
        for connection in connections.values.prefix(Self.mostLookedAt) where connection.isReady {
            if connection.facts.isSilent {
                found.silent += 1
                found.silentSince = max(found.silentSince ?? .distantPast, connection.lastReceived)
            } else {
                found.standing += 1
            }
        }
        guard connections.count > Self.mostLookedAt else { return found }
        let share = Double(connections.count) / Double(Self.mostLookedAt)
        found.standing = Int((Double(found.standing) * share).rounded())
        found.silent = Int((Double(found.silent) * share).rounded())
        return found
    }

    private static let mostLookedAt = 512
}
