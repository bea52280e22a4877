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

    package var connection: UplinkConnectionID? {
        switch self {
        case .inLine: nil
        case .dialing(let id), .early(let id), .awaitingStream(let id), .open(let id): id
        }
    }

    /// Its CONNECT may have been sent.
    package var hasSent: Bool {
        switch self {
        case .inLine, .dialing, .awaitingStream: false
        case .early, .open: true
        }
    }
}

/// What a connection is for.
enum ConnectionRole {
    /// It is being made for that device; `nil`: for devices to come, or its device has left.
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
    /// It was shared, and goes a way that is not the best any more: it keeps its devices and gets no more.
    case leaving

    /// How long a connection in the stock has been ready, and is good for.
    struct Warmth {
        let readyAt: NIODeadline
        let renewAt: NIODeadline
        /// It has stood for long enough to show that the server wants such connections.
        var isProven = false
    }
}

extension UplinkPlan {
    struct Connection {
        let way: UplinkWay
        var role: ConnectionRole
        /// After how long without a sign of life it ends: what was asked for.
        let idleTimeout: Duration
        var readyAt = NIODeadline.distantPast
        /// Legs of devices with a stream on it.
        var legCount = 0
        /// It refused a stream although it had seemed to have room: it gets no device until it says that it has room.
        var isFull = false
        /// When it is checked whether a shared connection without devices is still needed; `nil` while it has devices.
        var idleCheckAt: NIODeadline?
    }
}
