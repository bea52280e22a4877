/// Identifies an uplink leg within one ``UplinkPlan``.
package struct UplinkLegID: Hashable, Comparable, Sendable {
    let rawValue: Int

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Identifies a connection to the broker, over QUIC or TLS, within one ``UplinkPlan``.
package struct UplinkConnectionID: Hashable, Comparable, Sendable {
    let rawValue: Int

    /// Stands for a connection that no plan knows, such as a probe's.
    package static let unplanned = UplinkConnectionID(rawValue: 0)

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What an ``UplinkPlan`` wants done. Connections and legs are named by their identifiers; the driver ignores those
/// that no longer exist.
package enum UplinkAction: Sendable, Equatable {
    /// Begin a connection. Exactly one of ``UplinkPlan/connectionReady(_:_:at:)`` and
    /// ``UplinkPlan/connectionFailed(_:_:at:)`` follows, unless the plan closes it first.
    case dial(UplinkConnectionID, UplinkDial)
    /// Open a stream for the leg. If that is impossible, perhaps because the connection is over,
    /// ``UplinkPlan/streamUnavailable(for:at:)`` or ``UplinkPlan/streamFailed(for:_:at:)`` follows.
    ///
    /// With `mayComeBack` the connection is not fresh: if it turns out to be dead before anything has come on the leg,
    /// the leg sends its CONNECT again on another connection, after ``UplinkPlan/legCameBack(_:at:)``.
    case openStream(UplinkLegID, on: UplinkConnectionID, mayComeBack: Bool)
    /// Close the connection now. The driver reports nothing more about it.
    case close(UplinkConnectionID)
    /// End the connection in order: the gateway's session, if there is one, sends DISCONNECT first. The driver reports
    /// nothing more about it.
    case retire(UplinkConnectionID)
    /// Send again at once what is unanswered: the broker is there again.
    case hurry(UplinkConnectionID)
    /// Give the connection no device until the broker has answered on it, and ask the broker now.
    case doubt(UplinkConnectionID)
    /// Wait no longer for the connection, which is silent: the broker is reached on another way. The connection is lost,
    /// as if its path had died.
    case giveUp(UplinkConnectionID)
    /// Tell the leg that it cannot be opened. The plan has forgotten the leg.
    case unreachable(UplinkLegID, why: String)
    /// Give the leg to the plan that makes connections now. This plan has forgotten it.
    case handOver(UplinkLegID, keepAlive: Duration?)
    /// Probe the broker's addresses for as long as devices wait.
    case watchPaths
    case report(UplinkNews)
}

/// A connection to be made.
package struct UplinkDial: Sendable, Equatable {
    /// What the connection is made for.
    package enum Aim: Sendable, Equatable {
        /// A device, whose CONNECT may go out as early data; `nil` if the connection is for devices to come.
        case device(UplinkLegID?)
        /// A device that may come later: the connection goes into the stock.
        case stock
        /// Finding out whether a better way works: nothing is sent on the connection.
        case probe
    }

    /// The endpoint over QUIC, or the fallback, that the connection goes to.
    package let way: UplinkWay
    /// What the connection is made for.
    package let aim: Aim
    /// How long making the connection may take, from looking up the broker's name to verifying the broker.
    package let patience: Duration
    /// How long nothing may be heard before the connection ends (QUIC only).
    package let idleTimeout: Duration
}

/// News for the log.
package enum UplinkNews: Sendable, Equatable {
    /// A connection made ahead of time is ready.
    case connectionStocked
    /// A connection made ahead of time has ended.
    case stockedConnectionEnded(why: String)
    /// The server has chosen the mapping, because `auto` is configured.
    case mappingChosen(UplinkConfiguration.Mapping, alpn: String)
    case sharedConnectionLost(devices: Int, why: String)
    /// A device's CONNECT is sent again on another connection.
    case legCameBack
}
