import MQTTCodec
import NIOCore

// A device with a session of its own at the broker: what passes, and what the bridge has to understand.
extension ConnectedDevice {
    mutating func deviceSentToBroker(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        if facts.keepsWillBack { hasErred = frame.endsSession }
        switch frame.type {
        case .disconnect:
            guard isHeld || frame.isFarewell(of: facts) else {
                // Whatever the broker makes of this packet, the device has said that it leaves.
                hasLeft = true
                hold?.journal.forfeit()
                return try passUp(BufferList(facts.returning(frame)))
            }
            return end(facts.ending(by: frame))
        case .pingreq where hold?.passesPing() == false:
            return pong()
        case .connect:
            guard mayConnectAgain else { throw .secondConnect }
            hasConnectedAgain = true
            hold?.journal.forfeit()
            return try passUp(BufferList(frame.bytes))
        default:
            return try route(frame)
        }
    }

    mutating func brokerSent(_ frame: Frame) throws(MQTTError) -> [SessionAction] {
        switch frame.type {
        case .disconnect:
            return brokerDisconnected(frame)
        case .pingresp where hold?.passesPong() == false:
            return []
        case .connack where hasConnectedAgain:
            return [.sendToDevice(frame.bytes)]
        case .connect, .connack, .subscribe, .unsubscribe, .pingreq:
            throw .clientPacketFromServer(frame.type)
        default:
            return try deliver(frame)
        }
    }

    /// The broker sent DISCONNECT. If the broker speaks about its own state, that counts as a lost network; a decision
    /// about the device is passed on.
    private mutating func brokerDisconnected(_ frame: Frame) -> [SessionAction] {
        let code = (try? Disconnect.decode(frame, version: facts.version))?.reasonCode ?? 0
        // A device that sends no more gets no other leg: it hears the broker's own word.
        if let hold, facts.version == .v5_0, !hold.journal.isForfeit {
            let reason = ReasonCode(rawValue: code)
            if reason.isBusy || (reason == .keepAliveTimeout && hold.wasSuspended) {
                return lose(
                    "the broker disconnected the device: \(reason.inWords)", leg: .open, isBusy: reason.isBusy)
            }
            if reason == .sessionTakenOver, let actions = loseToStrayConnect(leg: .open) { return actions }
        }
        // The device gets the same packet, then its connection is closed ([MQTT-3.14.4-3]).
        return end(Ending(.brokerDisconnected(code: code), toDevice: frame.bytes, uplink: .useless))
    }
}

extension Frame {
    /// Whether a broker ends the session for this packet of a 5.0 device, instead of overlooking what is wrong with it.
    fileprivate var endsSession: Bool {
        switch type {
        case .connect, .connack, .suback, .unsuback: return true
        case .puback, .pubrec, .pubrel, .pubcomp:
            // Nearly all have nothing but the packet identifier.
            guard !isRegular || body.readableBytes != MemoryLayout<UInt16>.size else { return false }
            return !isRegular || (try? PublishAck.decode(self, version: .v5_0)) == nil
        case .subscribe, .unsubscribe: return !isRegular
        case .publish, .pingreq, .pingresp, .disconnect, .auth: return false
        }
    }
}

// MARK: - The return of a held session, from CONNECT to where everything is sent again

extension ConnectedDevice {
    /// The new leg is there.
    mutating func sendConnectAgain(within connectTimeout: Duration) -> [SessionAction] {
        guard let hold, hold.phase == .awaitingUplink else { return [] }
        self.hold?.phase = .returning
        return [.start(.uplinkConnect, after: connectTimeout), .sendToUplink(ByteBuffer(bytes: hold.connect))]
    }

    /// CONNECT went to the broker again on another connection, because nothing came back on the first. The broker has the
    /// whole time to answer it: EMQX 6.0.3 needs 3 s for a session whose earlier connection is still open there, and loses
    /// the session if the new connection is closed meanwhile. What limits the wait is the hold.
    mutating func awaitConnackAgain(within connectTimeout: Duration) -> [SessionAction] {
        hold?.phase == .returning ? [.start(.uplinkConnect, after: connectTimeout)] : []
    }

    /// Handles the broker's answer to the repeated CONNECT.
    mutating func brokerAnsweredReturn(_ element: FrameDecoder.Element) throws(MQTTError) -> [SessionAction] {
        guard case .packet(let frame) = element else { throw .publishBeforeConnack }
        switch frame.type {
        case .connack: return returned(try Connack.decode(frame, version: facts.version))
        case .disconnect where facts.version == .v5_0: return brokerDisconnected(frame)
        default: throw .packetBeforeConnack(frame.type)
        }
    }

    /// Why the device's connection ends if the broker has lost the session; `nil` if the device need not notice.
    private var lossOfSession: String? {
        guard let hold else { return nil }
        if hold.journal.hasGivenUpCopies { return Journal.copiesGone }
        if hold.hasEarlierSession {
            return "the broker has lost the session, and with it subscriptions of the device's earlier connections"
        }
        // The broker would send as many as the device allows, besides those that the device has not finished.
        guard facts.receiveMaximum ?? .max < .max, hold.journal.hasOpenDeliveries else { return nil }
        return "the broker has lost the session, and would send more than the device's Receive Maximum"
    }

    private mutating func returned(_ connack: Connack) -> [SessionAction] {
        guard connack.code == 0 else {
            let why = "the broker refused the device: \(ConnackCode.describe(connack.code))"
            if connack.isBusy(facts.version) { return lose(why, leg: .open) }
            return end(
                Ending(
                    .refusedByBroker(code: connack.code), reasonCode: ReasonCode(rawValue: connack.code).inDisconnect,
                    uplink: .useless))
        }
        let keepAlive = connack.properties.serverKeepAlive ?? facts.keepAlive
        if let present = hold?.keepAlive, keepAlive != 0, present == 0 || keepAlive < present {
            return end(
                .uplinkLost("the broker now asks for a keepalive of \(keepAlive) s, which the device can't be told"))
        }
        let isPresent = connack.sessionPresent || (facts.version == .v3_1 && !facts.isClean)
        if !isPresent, let why = lossOfSession { return end(.uplinkLost(why)) }
        // The repeated CONNECT offered the broker no topic aliases, so the earlier ones are not needed any more.
        router.deviceAliasMaximum = 0
        return [.stop(.uplinkConnect)]
            + rejoin(
                isSessionPresent: isPresent, needsSubscriptions: !connack.sessionPresent, LegLimits(connack))
    }
}

extension Connack {
    /// Whether the broker can't accept any device now.
    fileprivate func isBusy(_ version: MQTTVersion) -> Bool {
        version.hasProperties
            ? ReasonCode(rawValue: code).isBusy || ReasonCode(rawValue: code) == .connectionRateExceeded : code == 3
    }
}

extension ReasonCode {
    /// Whether the broker is busy or shutting down, which says nothing about the device.
    fileprivate var isBusy: Bool {
        switch self {
        case .serverUnavailable, .serverBusy, .serverShuttingDown: true
        default: false
        }
    }

    /// The code for DISCONNECT (MQTT 5 3.14.2.1) that corresponds to a refusal in CONNACK (MQTT 5 3.2.2.2).
    fileprivate var inDisconnect: ReasonCode {
        switch rawValue {
        case 0x85, 0x86, 0x8A, 0x8C: .notAuthorized
        case 0x80...0x83, 0x87, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: self
        default: .unspecifiedError
        }
    }
}
