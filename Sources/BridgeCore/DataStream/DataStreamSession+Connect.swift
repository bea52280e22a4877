import MQTTCodec
import NIOCore

// From CONNECT to CONNACK: who the device is, whether it is let in, and what it is told.
extension DataStreamSession {
    mutating func received(connect frame: Frame) -> [SessionAction] {
        var connect: Connect
        do {
            connect = try Connect.decode(frame)
        } catch {
            return refuseUnreadable(error)
        }
        var facts = DeviceFacts(connect)
        if let refusal = context.refusal(of: connect) {
            return refuse(facts, refusal.why, code: refusal.code.connackCode(connect.version))
        }
        facts.assignedClientID = context.assignClientID(to: &connect)
        let actions: [SessionAction] = [
            .stop(.connectPacket), .identified(SessionIdentity(connect)),
            .start(.uplinkConnect, after: context.device.connectTimeout),
        ]
        guard let username = connect.username else { return actions + admit(connect, facts) }
        let password = connect.password
        connect.password = nil
        state = .authenticating(connect, facts)
        return actions + [.authenticate(username: username, password: password)]
    }

    package mutating func authenticated(_ isAccepted: Bool) -> [SessionAction] {
        guard case .authenticating(let connect, let facts) = state else { return [] }
        return isAccepted ? admit(connect, facts) : end(.badCredentials)
    }

    /// The device has proven who it is.
    private mutating func admit(_ original: Connect, _ facts: DeviceFacts) -> [SessionAction] {
        var connect = original
        do {
            let routes = try context.device.resolvedRoutes(for: connect)
            var router = PacketRouter(routes: routes, version: connect.version)
            if let refusal = router.rewriteConnect(&connect) {
                return [.stop(.uplinkConnect)] + refuse(facts, .notAllowed(refusal.message), code: refusal.code)
            }
            // Whatever the device accepts, the gateway's CONNECT offers the broker no topic aliases.
            router.deviceAliasMaximum = 0
            let will = try connect.will.map { will throws(MQTTError) in
                try StoredWill(
                    will, sessionExpiry: facts.sessionExpiry, version: connect.version.onDataStream)
            }
            state = .connecting(Connecting(facts: facts, router: router, will: will))
        } catch {
            let code = ReasonCode.notAuthorized.connackCode(connect.version)
            return [.stop(.uplinkConnect)] + refuse(facts, .notAllowed("\(error)"), code: code)
        }
        return [
            .claim(clientID: connect.clientID, isCleanStart: connect.cleanStart),
            .openDataStream(connect.version.onDataStream),
        ]
    }

    /// The data stream is there.
    mutating func accept(_ connecting: Connecting, _ brokerLimits: GatewayLimits) -> [SessionAction] {
        let facts = connecting.facts
        var limits = brokerLimits
        if let limit = context.device.toldPacketSize {
            limits.maximumPacketSize = min(limits.maximumPacketSize ?? .max, limit)
        }
        if let (code, why) = refusal(of: connecting.will, limits) {
            return end(.notAllowed(why), reasonCode: code)
        }
        // Here the bridge holds a packet against the lower limit both before it is routed and after.
        var told = limits
        told.maximumPacketSize = limits.maximumPacketSize.map {
            PacketSizeLimit.told($0, leaving: connecting.router.routes.mostAddedUp)
        }
        guard let connack = connack(for: facts, told) else {
            return end(.notAllowed("the device's Maximum Packet Size leaves no room for a CONNACK"))
        }
        var device = ConnectedDevice(
            facts, connecting.router,
            gateway: GatewayTerms(limits, receiveMaximum: facts.receiveMaximum, will: connecting.will))
        device.hold = context.device.hold.map { policy in
            // EMQX, the broker that has data streams, passes messages on at once. Sending one again would deliver it
            // twice each time.
            Hold(journal: Journal(policy, version: facts.version, told: LegLimits(limits), isPassedOnAtOnce: true))
        }
        let notes: [SessionAction] = facts.sessionExpiry > 0 ? [.note(.sessionNotKept)] : []
        return notes + letIn(device, connack, idleLimit: .patience(keepAlive: facts.keepAlive))
    }

    /// [MQTT-3.2.2-12], [MQTT-3.2.2-13]: a will beyond the limits is refused with the CONNECT.
    private func refusal(of will: StoredWill?, _ limits: GatewayLimits) -> (ReasonCode, String)? {
        guard let will else { return nil }
        if will.qos > limits.maximumQoS {
            let limit = limits.maximumQoS.rawValue
            return (.qosNotSupported, "the will has QoS \(will.qos.rawValue), the broker's limit is \(limit)")
        }
        if will.retain, !limits.isRetainAvailable {
            return (.retainNotSupported, "the will is retained, and the broker keeps no messages")
        }
        if let maximum = limits.maximumPacketSize, will.length > maximum {
            return (.packetTooLarge, "the will has \(will.length) bytes as a message, the limit is \(maximum)")
        }
        return nil
    }

    /// `nil` if the CONNACK is longer than the device accepts.
    private func connack(for facts: DeviceFacts, _ limits: GatewayLimits) -> ByteBuffer? {
        var connack = Connack(sessionPresent: false)
        if facts.version == .v5_0 {
            connack.properties = Properties(limits)
            connack.properties.assignedClientIdentifier = facts.assignedClientID
            if facts.sessionExpiry > 0 { connack.properties.sessionExpiryInterval = 0 }
        }
        guard let bytes = try? connack.encode(version: facts.version) else { return nil }
        return facts.takes(bytes.readableBytes) ? bytes : nil
    }
}

extension DataStreamContext {
    /// Gives a device a client id if it has none, and returns that.
    func assignClientID(to connect: inout Connect) -> String? {
        guard connect.clientID.isEmpty else { return nil }
        connect.clientID = device.makeClientID()
        return connect.clientID
    }

    /// Looks for what speaks against a CONNECT before any password is checked.
    func refusal(of connect: Connect) -> (why: SessionEnd, code: ReasonCode)? {
        if let overLimit = device.overLimit { return (.overLimit(overLimit), .quotaExceeded) }
        guard versions.covers(connect.version) else {
            let sessions = versions == .v5_0 ? "MQTT 5" : "MQTT 3.1.1"
            return (
                .notAllowed(
                    "the device speaks \(connect.version), and the gateway's sessions are \(sessions)"
                        + " (uplink.identity.version)"), .unsupportedProtocolVersion
            )
        }
        guard connect.properties.authenticationMethod == nil else {
            return (
                .notAllowed("the device asked for enhanced authentication, which the bridge does not know"),
                .badAuthenticationMethod
            )
        }
        guard !connect.clientID.isEmpty || connect.mayBeAssignedClientID else {
            return (
                .notAllowed("the device has no client id, and needs one in \(connect.version) without clean session"),
                .clientIdentifierNotValid
            )
        }
        guard connect.username != nil || allowsAnonymous else {
            return (.notAllowed("the device has no user name, and needs one (auth.anonymous)"), .notAuthorized)
        }
        return nil
    }
}

extension Connect {
    /// Whether a device without a client id gets one [MQTT-3.1.3-6]: in 3.1.1 only with Clean Session [MQTT-3.1.3-8],
    /// in 3.1 never.
    fileprivate var mayBeAssignedClientID: Bool {
        switch version {
        case .v3_1: false
        case .v3_1_1: cleanStart
        case .v5_0: true
        }
    }
}

extension GatewayIdentity.Version {
    /// Whether there is a gateway session for devices of that version.
    package func covers(_ version: MQTTVersion) -> Bool {
        switch self {
        case .any: true
        case .v3_1_1: version < .v5_0
        case .v5_0: version == .v5_0
        }
    }
}
