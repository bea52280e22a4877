/// Identifies an uplink leg within one ``UplinkPlan``.
package struct UplinkLegID: Hashable, Comparable, Sendable {
    let rawValue: Int

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Identifies a connection to the broker, over QUIC or TLS, within one ``UplinkPlan``.
package struct UplinkConnectionID: Hashable, Comparable, Sendable {
    let rawValue: Int

    /// For a connection that no plan knows, such as that of a probe.
    package static let unplanned = UplinkConnectionID(rawValue: 0)

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What an ``UplinkPlan`` wants done. Connections and legs are named by their identifiers; those that no longer exist are
/// to be ignored.
package enum UplinkAction: Sendable, Equatable {
    /// Begin a connection. Exactly one of ``UplinkPlan/connectionReady(_:_:at:)`` and
    /// ``UplinkPlan/connectionFailed(_:_:at:)`` follows, unless the plan closes it first.
    case dial(UplinkConnectionID, UplinkDial)
    /// Open a stream for the leg. If that cannot be, since the connection is over perhaps,
    /// ``UplinkPlan/streamUnavailable(for:at:)`` or ``UplinkPlan/streamFailed(for:_:at:)`` follows.
    ///
    /// With `mayComeBack` the connection is not fresh: if it turns out to be dead before anything has come on the leg,
    /// the leg sends its CONNECT again on another connection, after ``UplinkPlan/legCameBack(_:at:)``.
    case openStream(UplinkLegID, on: UplinkConnectionID, mayComeBack: Bool)
    /// Close the connection now. Nothing more is reported of it.
    case close(UplinkConnectionID)
    /// End the connection in order: the gateway's session, if there is one, says DISCONNECT first. Nothing more is
    /// reported of it.
    case retire(UplinkConnectionID)
    /// Send again at once what is unanswered: the broker is there again.
    case hurry(UplinkConnectionID)
    /// Give no device to the connection until it has been heard again, and have it ask.
    case doubt(UplinkConnectionID)
    /// Tell the leg that it cannot be made. The plan has forgotten it.
    case unreachable(UplinkLegID, why: String)
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
        /// To find out whether a better way works: nothing is sent on the connection.
        case probe
    }

    package let way: UplinkWay
    package let aim: Aim
    /// How long it may take, from the broker's name to a verified broker.
    package let patience: Duration
    /// After how long without a sign of life the connection ends (QUIC only).
    package let idleTimeout: Duration
}

/// What the log is told.
package enum UplinkNews: Sendable, Equatable {
    /// A connection made ahead of time is ready.
    case connectionStocked
    /// A connection made ahead of time has ended.
    case stockedConnectionEnded(why: String)
    /// With the mapping `auto`: what the server has chosen.
    case mappingChosen(UplinkConfiguration.Mapping, alpn: String)
    case sharedConnectionLost(devices: Int, why: String)
    /// A device's CONNECT goes again on another connection.
    case legCameBack
}
