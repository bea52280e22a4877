/// What a device's CONNECT came to.
package enum ConnectOutcome: String, Sendable, CaseIterable {
    /// The broker, or the bridge in its place, sent CONNACK 0.
    case accepted
    /// The broker's CONNACK or DISCONNECT refused the user name, the password or the device.
    case refusedByBrokerAuthorization = "refused_by_broker_authorization"
    /// The broker said that it is busy or unavailable.
    case refusedByBrokerBusy = "refused_by_broker_busy"
    /// The broker refused for another reason, or closed the connection without one.
    case refusedByBrokerOther = "refused_by_broker_other"
    /// The bridge refused the user name or the password.
    case refusedHereCredentials = "refused_here_credentials"
    /// A rule of the operator refused the device.
    case refusedHereRule = "refused_here_rule"
    /// The device came when a limit was reached.
    case refusedHereLimit = "refused_here_limit"
    /// The device broke the protocol.
    case refusedHereProtocol = "refused_here_protocol"
    /// The broker could not be reached, or its connection was lost before it had answered.
    case unreachable
    /// No CONNACK came within the time that the device is given.
    case timeout
    /// The device left before it had an answer, or was taken over, or the bridge stopped or was given other rules.
    case abandoned

    /// Why a session ended that was never let in.
    ///
    /// - Parameter isLate: Whether the time that the device is given was over.
    package init(_ end: SessionEnd, isLate: Bool) {
        switch end {
        case .refusedByBroker(let code): self.init(code: code)
        case .brokerDisconnected(let code): self.init(code: code)
        case .brokerClosed, .brokerViolation, .dataStreamRefused: self = .refusedByBrokerOther
        case .badCredentials: self = .refusedHereCredentials
        case .notAllowed: self = .refusedHereRule
        case .overLimit: self = .refusedHereLimit
        case .deviceViolation, .notMQTT: self = .refusedHereProtocol
        case .uplinkUnreachable, .predecessorStays: self = isLate ? .timeout : .unreachable
        case .uplinkLost, .holdExpired: self = .unreachable
        case .deviceDisconnected, .deviceVanished, .keepAliveExpired, .noConnectPacket, .takenOver, .removedByOperator,
            .rulesChanged, .shutdown:
            self = .abandoned
        }
    }

    /// What the code of a CONNACK says, of 3.x (MQTT 3.1.1 3.2.2.3) or of 5.0.
    package init(connackCode: UInt8) {
        self = connackCode == 0 ? .accepted : Self(code: connackCode)
    }

    /// The codes that refuse a device.
    private init(code: UInt8) {
        switch code {
        case 4, 5, 0x86, 0x87, 0x8A, 0x8C: self = .refusedByBrokerAuthorization
        case 3, 0x88, 0x89, 0x8B, 0x97, 0x9F: self = .refusedByBrokerBusy
        default: self = .refusedByBrokerOther
        }
    }
}

/// How a held session's hold ended.
package enum HoldOutcome: String, Sendable, CaseIterable {
    /// The same leg answered again.
    case sameLeg = "same_leg"
    /// It continues on a new leg, on which the broker had kept the session.
    case sessionKept = "session_kept"
    /// It continues on a new leg, on which the broker knew nothing of the session.
    case sessionNew = "session_new"
    /// The device, or another one with its client id, came on another connection meanwhile.
    case takenOver = "taken_over"
    /// The broker did not come back in time.
    case expired
    /// The session ended for another reason.
    case ended

    package init(_ back: SessionReturn) {
        switch back {
        case .sameLeg: self = .sameLeg
        case .newLeg(let isSessionPresent, _): self = isSessionPresent ? .sessionKept : .sessionNew
        }
    }

    package init(_ end: SessionEnd) {
        switch end {
        case .holdExpired: self = .expired
        case .takenOver: self = .takenOver
        default: self = .ended
        }
    }
}

/// How the sessions of one event loop began, were held and came back.
package struct SessionCounters: Sendable, Equatable {
    /// CONNECT packets of devices, by what they came to.
    package private(set) var connects: [ConnectOutcome: UInt64] = [:]
    /// The time from CONNECT to CONNACK 0.
    package private(set) var connectTime = DurationHistogram()
    /// TCP connections of devices that were closed before any CONNECT, because too many are being refused already.
    package var closedAtOnce: UInt64 = 0
    /// How often a session was held.
    package var holds: UInt64 = 0
    /// Holds that are over, by how they ended.
    package private(set) var returns: [HoldOutcome: UInt64] = [:]
    /// Handshakes with the broker, by what they came to.
    package private(set) var handshakes: [HandshakeOutcome: UInt64] = [:]
    /// Handshakes whose CONNECT went out as early data that the broker accepted.
    package var earlyDataAccepted: UInt64 = 0
    /// Handshakes whose CONNECT went out as early data that the broker did not accept, so that it was sent again.
    package var earlyDataRejected: UInt64 = 0
    /// Connections that are ready for devices that have not come yet.
    package var warm = 0

    package init() {}

    /// Counts what a CONNECT came to.
    ///
    /// - Parameter seconds: How long it took; only an accepted CONNECT has a use for it.
    package mutating func count(_ outcome: ConnectOutcome, seconds: Double? = nil) {
        connects[outcome, default: 0] += 1
        if outcome == .accepted, let seconds { connectTime.add(seconds: seconds) }
    }

    /// Counts the end of a hold.
    package mutating func count(_ outcome: HoldOutcome) {
        returns[outcome, default: 0] += 1
    }

    /// Counts the end of a handshake with the broker.
    package mutating func count(_ outcome: HandshakeOutcome) {
        handshakes[outcome, default: 0] += 1
    }

    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.connects.merge(right.connects, uniquingKeysWith: +)
        sum.connectTime = left.connectTime + right.connectTime
        sum.closedAtOnce += right.closedAtOnce
        sum.holds += right.holds
        sum.returns.merge(right.returns, uniquingKeysWith: +)
        sum.handshakes.merge(right.handshakes, uniquingKeysWith: +)
        sum.earlyDataAccepted += right.earlyDataAccepted
        sum.earlyDataRejected += right.earlyDataRejected
        sum.warm += right.warm
        return sum
    }
}

/// What a handshake with the broker came to, over QUIC or TLS.
package enum HandshakeOutcome: String, Sendable, CaseIterable {
    case succeeded
    case unanswered, network
    case alpnMismatch = "alpn_mismatch"
    case certificate, refused, other

    /// Why a connection could not be made.
    package init(_ failure: UplinkWay.Failure?) {
        switch failure {
        case .unanswered: self = .unanswered
        case .network: self = .network
        case .alpnMismatch: self = .alpnMismatch
        case .certificate: self = .certificate
        case .refused: self = .refused
        case .other, nil: self = .other
        }
    }
}
