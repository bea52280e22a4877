import MQTTCodec
import NIOCore

// From CONNECT to CONNACK: who the device is, whether it may, and what it is told.
extension DataStreamSession {
    mutating func received(connect frame: Frame) -> [SessionAction] {
        var connect: Connect
        do {
            connect = try Connect.decode(frame)
        } catch {
            // As in `Session`: answered in words that a 3.1.1 device knows, or not at all.
            guard error.kind == .unsupportedVersion else { return turnAway(.deviceViolation(error)) }
            let code = ReasonCode.unsupportedProtocolVersion.connackCode(.v3_1_1)
            return refuse(.v3_1_1, .deviceViolation(error), code: code, maximumPacketSize: nil)
        }
        if let refusal = refusal(of: connect) {
            return refuse(connect, refusal.why, code: refusal.code.connackCode(connect.version))
        }
        var facts = DeviceFacts(connect)
        if connect.clientID.isEmpty {
            connect.clientID = context.device.makeClientID()
            facts.assignedClientID = connect.clientID
        }
        let identity = SessionIdentity(
            clientID: connect.clientID, username: connect.username, version: connect.version)
        let actions: [SessionAction] = [
            .stop(.connectPacket), .identified(identity), .start(.uplinkConnect, after: context.device.connectTimeout),
        ]
        guard let username = connect.username else { return actions + admit(connect, facts) }
        let password = connect.password
        connect.password = nil
        state = .authenticating(connect, facts)
        return actions + [.authenticate(username: username, password: password)]
    }

    /// What speaks against a CONNECT before anybody's password is looked at.
    private func refusal(of connect: Connect) -> (why: SessionEnd, code: ReasonCode)? {
        if let overLimit = context.device.overLimit { return (.overLimit(overLimit), .quotaExceeded) }
        guard context.versions.covers(connect.version) else {
            let sessions = context.versions == .v5_0 ? "MQTT 5" : "MQTT 3.1.1"
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
        guard connect.username != nil || context.allowsAnonymous else {
            return (.notAllowed("the device has no user name, and needs one (auth.anonymous)"), .notAuthorized)
        }
        return nil
    }

    package mutating func authenticated(_ isAccepted: Bool) -> [SessionAction] {
        guard case .authenticating(let connect, let facts) = state else { return [] }
        return isAccepted ? admit(connect, facts) : end(.badCredentials)
    }

    /// The device is who it says.
    private mutating func admit(_ original: Connect, _ facts: DeviceFacts) -> [SessionAction] {
        var connect = original
        do {
            let routes = try context.device.routes.resolved(
                with: RouteVariables(
                    clientID: connect.clientID, username: connect.username ?? "", listener: context.device.listener,
                    peer: context.device.peer))
            var router = PacketRouter(routes: routes, version: connect.version)
            if let refusal = router.rewriteConnect(&connect) {
                return [.stop(.uplinkConnect)] + refuse(connect, .notAllowed(refusal.message), code: refusal.code)
            }
            // Whatever the device takes, the gateway's CONNECT offers the broker no aliases.
            router.deviceAliasMaximum = 0
            let will = try connect.will.map { will throws(MQTTError) in
                try StoredWill(
                    will, sessionExpiry: facts.sessionExpiry, version: Self.streamVersion(connect.version))
            }
            state = .connecting(Connecting(device: facts, router: router, will: will))
        } catch {
            let code = ReasonCode.notAuthorized.connackCode(connect.version)
            return [.stop(.uplinkConnect)] + refuse(connect, .notAllowed("\(error)"), code: code)
        }
        return [
            .claim(clientID: connect.clientID, isCleanStart: connect.cleanStart),
            .openDataStream(Self.streamVersion(connect.version)),
        ]
    }

    private mutating func refuse(_ connect: Connect, _ why: SessionEnd, code: UInt8) -> [SessionAction] {
        refuse(connect.version, why, code: code, maximumPacketSize: connect.properties.maximumPacketSize)
    }

    /// The data stream is there.
    mutating func accept(_ connecting: Connecting, _ brokerLimits: GatewayLimits) -> [SessionAction] {
        let device = connecting.device
        var limits = brokerLimits
        if let limit = context.device.toldPacketSize {
            limits.maximumPacketSize = min(limits.maximumPacketSize ?? .max, limit)
        }
        if let (code, why) = refusal(of: connecting.will, limits) {
            return end(.notAllowed(why), tells: code)
        }
        guard let connack = connack(for: device, limits) else {
            return end(.notAllowed("the device's Maximum Packet Size leaves no room for a CONNACK"))
        }
        let needsIDs = connecting.will.map { $0.qos > .atMostOnce } ?? false
        var connected = Connected(
            version: device.version, limits: limits, maximumPacketSize: device.maximumPacketSize,
            takesProblemInformation: device.takesProblemInformation, hasNoExpiry: device.sessionExpiry == 0,
            router: connecting.router,
            window: device.receiveMaximum.map { DeliveryWindow(limit: $0) }, will: connecting.will,
            usedIDs: needsIDs ? [] : nil)
        connected.hold = context.device.hold.map { policy in
            var told = LegLimits()
            told.receiveMaximum = limits.receiveMaximum
            told.maximumPacketSize = limits.maximumPacketSize.map { Int($0) }
            // EMQX, whose the data streams are, does. To send the message again would be to send it twice each time.
            return Hold(journal: Journal(policy, version: device.version, told: told, isPassedOnAtOnce: true))
        }
        state = .connected(connected)
        // One and a half times the keepalive [MQTT-3.1.2-24].
        let silence = device.keepAlive == 0 ? nil : Duration.milliseconds(Int64(device.keepAlive) * 1_500)
        let notes: [SessionAction] = device.sessionExpiry > 0 ? [.note(.sessionNotKept)] : []
        return notes + [.stop(.uplinkConnect), .sendToDevice(connack), .connected(silence: silence)]
            + (hasDeviceFinished ? deviceFinished() : [])
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

    /// `nil` where it is more than the device takes.
    private func connack(for device: DeviceFacts, _ limits: GatewayLimits) -> ByteBuffer? {
        var connack = Connack(sessionPresent: false)
        if device.version == .v5_0 {
            connack.properties = Properties(limits)
            connack.properties.assignedClientIdentifier = device.assignedClientID
            if device.sessionExpiry > 0 { connack.properties.sessionExpiryInterval = 0 }
        }
        guard let bytes = try? connack.encode(version: device.version) else { return nil }
        return bytes.readableBytes > device.maximumPacketSize ?? .max ? nil : bytes
    }
}

extension DataStreamSession.DeviceFacts {
    init(_ connect: Connect) {
        let properties = connect.properties
        version = connect.version
        keepAlive = connect.keepAlive
        sessionExpiry =
            connect.version == .v5_0 ? properties.sessionExpiryInterval ?? 0 : connect.cleanStart ? 0 : .max
        maximumPacketSize = properties.maximumPacketSize
        receiveMaximum = properties.receiveMaximum
        takesProblemInformation = properties.requestProblemInformation ?? true
    }
}

extension Connect {
    /// [MQTT-3.1.3-6]; 3.1.1 has it with Clean Session only [MQTT-3.1.3-8], 3.1 not at all.
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
