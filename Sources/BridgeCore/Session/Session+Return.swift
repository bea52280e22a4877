import MQTTCodec
import NIOCore

// The new leg of a held session, from CONNECT to where everything is sent again.
extension Session {
    /// The leg is there.
    mutating func returnTo(_ connected: Connected) -> [SessionAction] {
        var connected = connected
        guard let hold = connected.hold, hold.phase == .waiting else { return [] }
        connected.hold?.phase = .returning
        state = .connected(connected)
        return [
            .start(.uplinkConnect, after: context.connectTimeout), .sendToUplink(ByteBuffer(bytes: hold.connect)),
        ]
    }

    /// What the broker says to the repeated CONNECT.
    mutating func uplinkSentOnReturn(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        guard case .packet(let frame) = element else {
            return end(.brokerViolation(.publishBeforeConnack), leaving: connected.standing)
        }
        let version = connected.device.version
        do throws(MQTTError) {
            switch frame.type {
            case .connack:
                return try returned(Connack.decode(frame, version: version), in: &connected)
            case .disconnect where version == .v5_0:
                return disconnected(frame, in: &connected)
            default:
                throw .packetBeforeConnack(frame.type)
            }
        } catch {
            return end(.brokerViolation(error), leaving: connected.standing)
        }
    }

    private mutating func returned(_ connack: Connack, in connected: inout Connected) -> [SessionAction] {
        let version = connected.device.version
        guard connack.code == 0 else {
            let why = "the broker refused the device: \(ConnackCode.describe(connack.code))"
            if connack.isBusy(version) { return lose(why, leg: .open, in: &connected) }
            return end(
                .refusedByBroker(code: connack.code), leaving: connected.standing,
                reasonCode: ReasonCode(rawValue: connack.code).inDisconnect, uplink: .finished)
        }
        let keepAlive = connack.properties.serverKeepAlive ?? connected.device.keepAlive
        if let present = connected.hold?.keepAlive, keepAlive != 0, present == 0 || keepAlive < present {
            return end(
                .uplinkLost("the broker now asks for a keepalive of \(keepAlive) s, which the device can't be told"),
                leaving: connected.standing)
        }
        let isPresent = connack.sessionPresent || (version == .v3_1 && !connected.device.isClean)
        var limits = LegLimits()
        limits.receiveMaximum = connack.properties.receiveMaximum ?? .max
        limits.topicAliasMaximum = connack.properties.topicAliasMaximum ?? 0
        limits.maximumPacketSize = connack.properties.maximumPacketSize.map { Int($0) }
        limits.takesRetained = connack.properties.retainAvailable ?? true
        limits.maximumQoS = connack.properties.maximumQoS ?? .exactlyOnce
        if !isPresent, connected.hold?.journal.hasGivenUpCopies == true {
            return end(.uplinkLost(Journal.copiesGone), leaving: connected.standing)
        }
        // The broker was offered none this time: what it sends is understood without the earlier ones.
        connected.router.deviceAliasMaximum = 0
        connected.hold?.returned()
        do {
            guard
                let (step, resent) = try connected.hold?.journal.rejoin(
                    isSessionPresent: isPresent, needsSubscriptions: !connack.sessionPresent, limits)
            else { return [] }
            let note = SessionReturn.newLeg(isSessionPresent: connack.sessionPresent, resent: resent)
            return [.stop(.uplinkConnect), .stop(.hold), .note(.returned(note))] + perform(step, in: &connected)
        } catch {
            return end(.uplinkLost("\(error)"), leaving: connected.standing)
        }
    }

    /// DISCONNECT of the broker: what it says of its own state is as good as a lost network, what it decides of the
    /// device is passed on.
    mutating func disconnected(_ frame: Frame, in connected: inout Connected) -> [SessionAction] {
        let code = (try? Disconnect.decode(frame, version: connected.device.version))?.reasonCode ?? 0
        if let hold = connected.hold, connected.device.version == .v5_0 {
            let reason = ReasonCode(rawValue: code)
            if reason.isBusy || (reason == .keepAliveTimeout && hold.wasSilent) {
                return lose(
                    "the broker disconnected the device: \(reason.inWords)", leg: .open, in: &connected,
                    isBusy: reason.isBusy)
            }
        }
        // The same packet for the device, then the close ([MQTT-3.14.4-3]).
        return end(.brokerDisconnected(code: code), leaving: connected.standing, deviceFarewell: frame.bytes)
    }
}

extension Connack {
    /// The broker can't take anybody now, whoever it is.
    fileprivate func isBusy(_ version: MQTTVersion) -> Bool {
        version.hasProperties
            ? ReasonCode(rawValue: code).isBusy || ReasonCode(rawValue: code) == .connectionRateExceeded : code == 3
    }
}

extension ReasonCode {
    /// The broker is busy, or going away: it says nothing of the device.
    var isBusy: Bool {
        switch self {
        case .serverUnavailable, .serverBusy, .serverShuttingDown: true
        default: false
        }
    }

    /// What DISCONNECT (MQTT 5 3.14.2.1) has for a refusal of CONNACK (MQTT 5 3.2.2.2).
    fileprivate var inDisconnect: ReasonCode {
        switch rawValue {
        case 0x85, 0x86, 0x8A, 0x8C: .notAuthorized
        case 0x80...0x83, 0x87, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: self
        default: .unspecifiedError
        }
    }
}

extension Connect {
    /// As it is repeated on another leg: the session that the first one made goes on. 3.1 and 3.1.1 keep their flag,
    /// which decides about both. The broker is offered no topic aliases any more: what it sends again may be answered
    /// without being passed on, and the device would miss the topic in it.
    var repeated: Connect {
        var connect = self
        if version.hasProperties { connect.cleanStart = false }
        connect.properties.topicAliasMaximum = nil
        return connect
    }
}
