import NIOCore

/// Where a leg is.
package enum LegPlace: Sendable, Equatable {
    /// It waits for its turn.
    case inLine
    /// It waits for the handshake of that connection.
    case dialing(UplinkConnectionID)
    /// Its CONNECT went out as early data with that handshake.
    case early(UplinkConnectionID)
    /// It has that connection for itself, and the broker allows no stream yet.
    case awaitingStream(UplinkConnectionID)
    /// It has a stream there.
    case open(UplinkConnectionID)
}

/// What a connection is for.
enum ConnectionRole {
    /// It is being made for that device; with `nil` it is made for devices to come, or its device has left.
    case dialing(DialPermit, UplinkLegID?)
    /// It is being made for the stock.
    case stocking(DialPermit)
    /// It is being made to find out whether a better way works.
    case probing
    /// It is in the stock.
    case warm(Warmth)
    /// It carries that device alone.
    case single(UplinkLegID)
    /// Devices share it.
    case shared
    /// It was shared, but its way is no longer the best one, or its server shuts down: it keeps its devices and gets no
    /// more.
    case leaving

    /// When a connection in the stock became ready, and when it is replaced.
    struct Warmth {
        let readyAt: NIODeadline
        let renewAt: NIODeadline
        /// Whether its idle timeout is that of a connection that might have been shared.
        var isBrief = false
        /// Whether it has lasted for long enough to show that the server accepts such connections.
        var isProven = false
    }
}

extension UplinkPlan {
    struct Connection {
        let way: UplinkWay
        var role: ConnectionRole
        /// How long nothing may be heard before it ends, as it was requested.
        let idleTimeout: Duration
        var readyAt = NIODeadline.distantPast
        /// The number of legs with a stream on it.
        var legCount = 0
        /// Whether it refused a stream although it seemed to have room: it gets no device until it reports that it has
        /// room.
        var isFull = false
        /// When to check whether a shared connection without devices is still needed; `nil` while it has devices.
        var idleCheckAt: NIODeadline?
    }
}
