import MQTTCodec
import NIOCore

// How sessions end: which side is told what, and which leg closes how.
extension Session {
    /// Where a session stands when it ends: what either side can still be told.
    struct Standing: Sendable {
        var version: MQTTVersion?
        /// An uplink leg has been asked for.
        var hasUplink = false
        /// CONNECT has gone to the broker: from then on it may know the device, and its will.
        var isConnectSent = false
        /// CONNECT has gone out on the present leg, and the broker has not answered it.
        var isUnanswered = false
        var isConnackSent = false
        var isInsideUpPacket = false
        var isInsideDownPacket = false
        /// Timers of a held session run.
        var isHeld = false
        /// What a silent leg is given before the end.
        var backlog: [ByteBuffer] = []
        /// The broker keeps the session for longer than the device asked for, and is to hear that it is over.
        var hasBorrowedExpiry = false
        /// The broker has a will of the device.
        var hasWill = false
        /// What takes the will back that the broker keeps for the bridge: see `reclaim(_:)`.
        var reclaimingConnect: ByteBuffer?
        /// What the broker's answers are passed on with, where it is there to answer.
        var answering: Connected?
        /// Bytes of a packet that the device takes; `nil` is no limit.
        var maximumPacketSize: UInt32?
        /// FIN has gone to the broker.
        var isFinished = false
    }

    enum UplinkState: Sendable {
        case open
        /// The broker's FIN has come.
        case finished
        case gone
    }

    private var standing: Standing {
        switch state {
        case .awaitingConnect, .reclaimingWill, .finishing, .ended, .taken:
            Standing()
        case .connecting(let connecting):
            Standing(
                version: connecting.device.version, hasUplink: true, isConnectSent: connecting.connect == nil,
                isUnanswered: connecting.connect == nil,
                hasBorrowedExpiry: connecting.device.hasBorrowedExpiry, hasWill: connecting.device.hasWill,
                maximumPacketSize: connecting.device.maximumPacketSize)
        case .connected(let connected):
            connected.standing
        case .unread(let unread):
            // Without a version nothing is said to the device.
            Standing(
                hasUplink: true, isConnectSent: unread.connect == nil,
                isUnanswered: unread.connect == nil && !unread.isAnswered, isInsideUpPacket: unread.up.isInsidePacket,
                isInsideDownPacket: unread.down.isInsidePacket, isFinished: unread.isFinished)
        }
    }

    /// A packet that the protocol forbids: the device is told where it can be (5.0), the broker sees a lost connection
    /// and publishes the will ([MQTT-3.1.2-8]).
    mutating func violation(_ error: MQTTError, leaving standing: Standing? = nil) -> [SessionAction] {
        end(.deviceViolation(error), leaving: standing)
    }

    /// DISCONNECT of the device. A device that asked for no session expiry may not ask for one now: what does so is no
    /// valid DISCONNECT (MQTT 5 3.14.2.2.2), and only the bridge knows it where it asked for one in the device's place.
    mutating func disconnected(
        by frame: Frame, _ device: DeviceFacts, leaving standing: Standing? = nil
    ) -> [SessionAction] {
        if device.hasBorrowedExpiry, let disconnect = try? Disconnect.decode(frame, version: device.version),
            disconnect.properties.sessionExpiryInterval ?? 0 > 0
        {
            return violation(.expiryAtTheEnd, leaving: standing)
        }
        return end(.deviceDisconnected, leaving: standing, uplinkFarewell: frame.bytes)
    }

    /// The operator's rules forbid it.
    mutating func refuse(_ refusal: Refusal, leaving standing: Standing) -> [SessionAction] {
        end(.notAllowed(refusal.message), leaving: standing, reasonCode: refusal.reasonCode)
    }

    /// Ends a session whose CONNECT was not accepted by the bridge itself.
    mutating func refuse(
        _ connect: Connect, _ why: SessionEnd, code: ReasonCode, message: String
    ) -> [SessionAction] {
        refuse(connect, why, code: code.connackCode(connect.version), message: message)
    }

    /// The same with the code as the packet carries it.
    mutating func refuse(
        _ connect: Connect, _ why: SessionEnd, code: UInt8, message: String
    ) -> [SessionAction] {
        state = .ended
        let limit = connect.properties.maximumPacketSize
        let connack = refusal(connect.version, code: code, message: message, within: limit)
        return [.stop(.connectPacket), .ended(why)] + (connack.map { [.sendToDevice($0)] } ?? []) + [.closeDevice]
    }

    /// Ends the session.
    ///
    /// - Parameters:
    ///   - standing: Where it stands, for callers that hold the state's contents; else it is read from the state.
    ///   - uplinkFarewell: The device's own DISCONNECT, passed on.
    ///   - deviceFarewell: The broker's own last packet, passed on.
    ///   - reasonCode: What a 5.0 device is told, instead of what follows from `why`.
    ///   - uplink: What is left of the uplink leg.
    mutating func end(
        _ why: SessionEnd, leaving standing: Standing? = nil, uplinkFarewell: ByteBuffer? = nil,
        deviceFarewell: ByteBuffer? = nil, reasonCode: ReasonCode? = nil, uplink: UplinkState = .open
    ) -> [SessionAction] {
        switch state {
        case .reclaimingWill, .finishing, .ended: return []
        case .awaitingConnect, .connecting, .connected, .unread, .taken: break
        }
        let standing = standing ?? self.standing
        var actions: [SessionAction] = [
            .stop(.connectPacket), .stop(.uplinkConnect), .stop(.predecessor), .stop(.keepAlive), .ended(why),
        ]
        if standing.isHeld { actions += [.stop(.hold), .stop(.brokerPatience), .stop(.retry)] }
        guard why != .deviceVanished || hasDeviceFinished else {
            return actions + closeUplink(why, standing, farewell: uplinkFarewell, uplink)
        }
        let farewell = deviceFarewell ?? self.deviceFarewell(why, standing, reasonCode)
        if let connected = standing.answering, why.leavesAnswers, uplink == .open {
            lastWords = LastWords(connected: connected, farewell: farewell)
            return actions + closeUplink(why, standing, farewell: uplinkFarewell, uplink)
                + [.start(.lastWords, after: LastWords<Connected>.patience)]
        }
        if hasDeviceFinished { actions.append(.stop(.lastWords)) }
        if let farewell { actions.append(.sendToDevice(farewell)) }
        actions.append(.closeDevice)
        return actions + closeUplink(why, standing, farewell: uplinkFarewell, uplink)
    }

    private mutating func closeUplink(
        _ why: SessionEnd, _ standing: Standing, farewell: ByteBuffer?, _ uplink: UplinkState
    ) -> [SessionAction] {
        if let connect = standing.reclaimingConnect, why.leavesWillBehind { return reclaim(connect) }
        guard standing.hasUplink, uplink != .gone else {
            state = .ended
            return []
        }
        guard standing.isConnectSent, uplink == .open, !why.leavesNothingToSay(standing) else {
            state = .ended
            return [.closeUplink]
        }
        state = .finishing
        var actions = standing.backlog.map { SessionAction.sendToUplink($0) }
        if !standing.isInsideUpPacket, !standing.isFinished, let farewell = uplinkFarewell(why, standing, farewell) {
            actions.append(.sendToUplink(farewell))
        }
        // Without DISCONNECT before it, FIN is a lost connection for the broker, and it publishes the will.
        return actions + (standing.isFinished ? [] : [.finishUplink]) + [.start(.goodbye, after: Self.goodbyeTimeout)]
    }

    private mutating func uplinkFarewell(_ why: SessionEnd, _ standing: Standing, _ own: ByteBuffer?) -> ByteBuffer? {
        guard let version = standing.version else { return own }
        // The session stays as it is, for the device that has come.
        if why == .takenOver { return Disconnect().encoded(version) }
        guard standing.hasBorrowedExpiry else {
            return own ?? (why.isWithoutWill ? Disconnect().encoded(version) : nil)
        }
        // "Disconnect with Will Message" (MQTT 5 3.14.2.1): what the loss of the connection would have meant.
        var disconnect = Disconnect(reasonCode: why.isWithoutWill ? 0 : 0x04)
        if let own, let frame = try? Frame(packet: own, version: version) {
            // One that can't be read keeps its reason: what that means is the broker's to say.
            let reason = own.getInteger(at: own.readerIndex + frame.headerLength, as: UInt8.self)
            disconnect =
                (try? Disconnect.decode(frame, version: version)) ?? Disconnect(reasonCode: reason ?? 0)
        }
        // With any reason but 0 the will is due [MQTT-3.14.4-3]. EMQX 6.0.3 publishes none where the session ends in the
        // same moment as the connection, so it gets one second more; then the will is due however long it is delayed
        // (MQTT 5 3.1.3.2.2).
        lingersAtBroker = standing.hasWill && disconnect.reasonCode != 0
        disconnect.properties.sessionExpiryInterval = lingersAtBroker ? 1 : 0
        return (try? disconnect.encode(version: version)) ?? own
    }

    /// "MQTT over QUIC", graceful end: the server's FIN is awaited for at most 10 s.
    static let goodbyeTimeout = Duration.seconds(10)
}

// MARK: - What the device is told

extension Session {
    private func deviceFarewell(_ why: SessionEnd, _ standing: Standing, _ reasonCode: ReasonCode?) -> ByteBuffer? {
        guard let version = standing.version, !standing.isInsideDownPacket, why != .deviceDisconnected else {
            return nil
        }
        guard standing.isConnackSent else {
            // A broker that closes without CONNACK has said what it had to say: some take no more trouble with a CONNECT
            // that is malformed [MQTT-3.1.4-1].
            guard why != .brokerClosed else { return nil }
            return refusal(
                version, code: (reasonCode ?? why.connackCode).connackCode(version), message: "\(why)",
                within: standing.maximumPacketSize)
        }
        guard version == .v5_0, let code = reasonCode ?? why.disconnectCode else { return nil }
        var properties = Properties()
        properties.reasonString = "\(why)"
        let disconnect = Disconnect(reasonCode: code.rawValue, properties: properties)
        return try? disconnect.encoded(version, within: standing.maximumPacketSize)
    }

    /// A CONNACK that says no, to 5.0 with the reason in words.
    private func refusal(
        _ version: MQTTVersion, code: UInt8, message: String, within limit: UInt32?
    ) -> ByteBuffer? {
        var connack = Connack(sessionPresent: false, code: code)
        if version == .v5_0 { connack.properties.reasonString = message }
        return try? connack.encoded(version, within: limit)
    }
}

extension Session.Connected {
    var standing: Session.Standing {
        var standing = Session.Standing(
            version: device.version, hasUplink: true, isConnectSent: true, isConnackSent: true,
            isInsideUpPacket: up.isInsidePacket, isInsideDownPacket: down.isInsidePacket,
            hasBorrowedExpiry: device.hasBorrowedExpiry, hasWill: device.hasWill,
            maximumPacketSize: device.maximumPacketSize)
        guard let hold else {
            standing.answering = self
            return standing
        }
        standing.isHeld = hold.isHeld
        standing.reclaimingConnect = reclaimingConnect
        standing.isInsideUpPacket = hold.journal.isInsidePacket
        switch hold.phase {
        case .up:
            standing.answering = self
        case .returning:
            standing.isUnanswered = true
        case .silent:
            var journal = hold.journal
            (standing.backlog, standing.isInsideUpPacket) = journal.drain()
        case .waiting:
            standing.isConnectSent = false
        case .pausing:
            standing.hasUplink = false
        }
        return standing
    }
}

extension Disconnect {
    /// A DISCONNECT of our own cannot exceed any length, so encoding it cannot fail.
    fileprivate func encoded(_ version: MQTTVersion) -> ByteBuffer {
        (try? encode(version: version)) ?? ByteBuffer(bytes: [0xE0, 0x00])
    }
}

extension SessionEnd {
    /// The broker's side has ended already, or nothing that it says matters.
    ///
    /// A CONNECT that is given up unanswered is followed by the end of its stream, not by that of the connection: EMQX
    /// 6.0.3 takes a session over for such a CONNECT and loses it where the connection is gone before it has answered.
    fileprivate func leavesNothingToSay(_ standing: Session.Standing) -> Bool {
        switch self {
        // It has ended the session, and takes the next one of this client id at once only where the connection is closed.
        case .brokerDisconnected, .brokerViolation: true
        case .uplinkUnreachable, .holdExpired, .takenOver: !standing.isUnanswered
        default: false
        }
    }

    /// The device was told that it is not connected, or that the bridge stops: its will is not due.
    fileprivate var isWithoutWill: Bool {
        switch self {
        case .shutdown, .uplinkUnreachable: true
        default: false
        }
    }

    /// For a device that waits for its CONNACK.
    fileprivate var connackCode: ReasonCode {
        switch self {
        case .brokerDisconnected(let code) where code >= 0x80 && ReasonCode(rawValue: code).isAllowedInConnack:
            ReasonCode(rawValue: code)
        case .deviceViolation(let error): error.reasonCode
        case .notAllowed: .notAuthorized
        default: .serverUnavailable
        }
    }

    /// For a connected 5.0 device; `nil` where a close without a word says it.
    fileprivate var disconnectCode: ReasonCode? {
        switch self {
        case .deviceDisconnected, .deviceVanished, .brokerClosed, .noConnectPacket, .notMQTT, .refusedByBroker,
            .badCredentials:
            nil
        case .takenOver: .sessionTakenOver
        case .keepAliveExpired: .keepAliveTimeout
        case .deviceViolation(let error): error.reasonCode
        case .notAllowed: .notAuthorized
        case .overLimit: .quotaExceeded
        case .brokerDisconnected(let code): ReasonCode(rawValue: code)
        case .brokerViolation, .uplinkUnreachable, .uplinkLost, .holdExpired: .unspecifiedError
        case .shutdown: .serverShuttingDown
        }
    }
}

extension ReasonCode {
    /// MQTT 5 3.2.2.2 lists these for CONNACK.
    fileprivate var isAllowedInConnack: Bool {
        switch rawValue {
        case 0x80...0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: true
        default: false
        }
    }

    /// As a CONNACK carries it: for 3.x the return code of MQTT 3.1.1 3.2.2.3 that comes nearest.
    func connackCode(_ version: MQTTVersion) -> UInt8 {
        guard version != .v5_0 else { return rawValue }
        return switch self {
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .badUserNameOrPassword: 4
        case .notAuthorized, .banned: 5
        default: 3
        }
    }
}
