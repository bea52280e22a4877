/// When a lost connection is made anew, and whether.
struct ReconnectPace: Sendable {
    /// How long a client whose session was taken over stays away (MQTT over QUIC, Single Stream Mode 1.0).
    static let afterTakeover = Duration.seconds(5)

    /// However short the configured waits are, they grow to this, so that a broker that ends every connection at once
    /// is not asked without a pause.
    private static let leastGrowth = Duration.milliseconds(100)

    private let rule: MQTTClientConfiguration.Reconnect?
    /// How many tries have failed since the last connection.
    private var failures = 0
    /// The next wait, before its random part.
    private var step: Duration

    init(_ rule: MQTTClientConfiguration.Reconnect?) {
        self.rule = rule
        step = rule?.initial ?? .zero
    }

    /// A try has failed, or a connection has ended.
    ///
    /// - Parameters:
    ///   - lived: How long the connection had been there; `nil` if there was none. One that outlived the wait before it
    ///     counts as good, and the waits begin anew.
    ///   - random: 0 to 1.
    ///   - mayBeTakeover: Whether another client may have taken the session over, although nobody said so.
    /// - Returns: How long to wait; `nil` if no other try is to be made.
    mutating func next(
        after error: MQTTClientError, lived: Duration?, random: Double, mayBeTakeover: Bool = false
    ) -> Duration? {
        guard let rule, error.mayPass else { return nil }
        if let lived {
            failures = 0
            if lived > max(step, Self.leastGrowth) { step = rule.initial }
        } else {
            failures += 1
            if let attempts = rule.attempts, failures >= attempts { return nil }
        }
        let wait = min(max(step, .zero), max(rule.maximum, Self.leastGrowth))
        step = max(min(step * 2, rule.maximum), Self.leastGrowth)
        let spread = wait * (1 - random / 2)
        return error == .sessionTakenOver || mayBeTakeover ? max(spread, Self.afterTakeover) : spread
    }
}

extension MQTTClientError {
    /// What the code means with which the broker closed the QUIC connection, if it carries a reason of MQTT: 0x300 and
    /// the reason code ("MQTT Over QUIC", Single Stream Mode 1.0).
    init?(applicationCode: UInt64?) {
        guard let applicationCode, (0x380...0x3FF).contains(applicationCode) else { return nil }
        let code = MQTTReasonCode(rawValue: UInt8(truncatingIfNeeded: applicationCode))
        self =
            code == .sessionTakenOver
            ? .sessionTakenOver : .disconnectedByBroker(code, reason: nil, serverReference: nil)
    }

    /// Whether the same client may do better later.
    var mayPass: Bool {
        switch self {
        case .nameNotFound, .unreachable, .handshakeTimedOut, .handshakeFailed, .sessionTakenOver, .connectionLost,
            .protocolError, .timedOut:
            true
        case .refused(let code, _, _), .disconnectedByBroker(let code, _, _): code.mayPass
        case .certificateRefused, .clientCertificateRefused, .applicationProtocolNotOffered, .invalidTLSFile,
            .cancelled, .notConnected, .alreadyConnected, .rejected, .deliveryUnknown, .expired, .packetTooLarge,
            .notSupportedByBroker, .tooManyOutstanding, .invalidArgument:
            false
        }
    }
}

extension MQTTReasonCode {
    /// Whether the broker may accept the same client later.
    fileprivate var mayPass: Bool {
        switch self {
        case .unsupportedProtocolVersion, .clientIdentifierNotValid, .badUserNameOrPassword, .notAuthorized, .banned,
            .badAuthenticationMethod, .malformedPacket, .protocolError, .topicFilterInvalid, .topicNameInvalid,
            .topicAliasInvalid, .packetTooLarge, .payloadFormatInvalid, .retainNotSupported, .qosNotSupported,
            .useAnotherServer, .serverMoved, .sharedSubscriptionsNotSupported, .subscriptionIdentifiersNotSupported,
            .wildcardSubscriptionsNotSupported:
            false
        default: true
        }
    }
}
