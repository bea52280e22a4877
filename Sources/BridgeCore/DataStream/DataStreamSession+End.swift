import MQTTCodec
import NIOCore

// How sessions end: what the device is told, how its stream ends, and what becomes of its will.
extension DataStreamSession {
    enum UplinkState: Sendable {
        case open
        /// The broker has ended it, or nothing can be done with it any more; the driver still holds it.
        case useless
        case gone
    }

    enum WillFate: Sendable {
        case discarded
        /// After its delay.
        case due
        case dueNow
    }

    /// "MQTT over QUIC", graceful end: the server's FIN is awaited for at most 10 s; so is an answer to the will.
    private static let goodbyeTimeout = Duration.seconds(10)

    /// Ends the session from wherever it stands; what is left of one whose device is gone, it brings to its end.
    ///
    /// - Parameter tells: What a 5.0 device is told, instead of what follows from `why`.
    mutating func end(
        _ why: SessionEnd, tells: ReasonCode? = nil, uplink: UplinkState = .open
    ) -> [SessionAction] {
        switch state {
        case .awaitingConnect:
            return turnAway(why)
        case .authenticating(_, let device):
            return giveUp(device, why, tells: tells, leg: [])
        case .connecting(let connecting):
            return giveUp(connecting.device, why, tells: tells, leg: uplink == .gone ? [] : [.closeUplink])
        case .connected(let connected):
            return leave(connected, why, will: why == .shutdown ? .discarded : .due, tells: tells, uplink: uplink)
        case .leaving, .reopening, .publishing, .finishing:
            // Of the device there is nothing more to say, and of the uplink this: it is at its end.
            return uplink == .open ? [] : hangUp() + legEnded(why, uplink)
        case .ended, .taken:
            return []
        }
    }

    /// Ends a session before it knew the device.
    mutating func turnAway(_ why: SessionEnd) -> [SessionAction] {
        state = .ended
        return [.stop(.connectPacket), .ended(why)] + (isDeviceGone(why) ? [] : [.closeDevice])
    }

    /// Ends a session with a CONNACK that says no; `code` is as the packet carries it.
    mutating func refuse(
        _ version: MQTTVersion, _ why: SessionEnd, code: UInt8, maximumPacketSize: UInt32?
    ) -> [SessionAction] {
        state = .ended
        var actions: [SessionAction] = [.stop(.connectPacket), .ended(why)]
        if let connack = Self.refusal(
            version, code: code, message: "\(why)", maximumPacketSize: maximumPacketSize)
        {
            actions.append(.sendToDevice(connack))
        }
        return actions + [.closeDevice]
    }

    /// The device waits for its CONNACK.
    private mutating func giveUp(
        _ device: DeviceFacts, _ why: SessionEnd, tells: ReasonCode?, leg: [SessionAction]
    ) -> [SessionAction] {
        state = .ended
        let actions: [SessionAction] =
            [.stop(.uplinkConnect), .ended(why)] + (hasDeviceFinished ? [.stop(.lastWords)] : [])
        guard !isDeviceGone(why) else { return actions + leg }
        let connack = Self.refusal(
            device.version, code: (tells ?? why.refusalCode).connackCode(device.version), message: "\(why)",
            maximumPacketSize: device.maximumPacketSize)
        return actions + (connack.map { [.sendToDevice($0)] } ?? []) + [.closeDevice] + leg
    }

    /// Ends the session of a connected device.
    mutating func leave(
        _ connected: Connected, _ why: SessionEnd, will fate: WillFate, tells: ReasonCode? = nil,
        uplink original: UplinkState = .open
    ) -> [SessionAction] {
        var actions: [SessionAction] = [.stop(.keepAlive), .ended(why)]
        let (timers, uplink, backlog, isInsidePacket) = connected.standing(original)
        actions += timers
        if !isDeviceGone(why) {
            let farewell = farewell(why, tells, connected)
            if why.leavesAnswers, uplink == .open, connected.hold?.isHeld != true {
                lastWords = LastWords(connected: connected, farewell: farewell)
                actions.append(.start(.lastWords, after: LastWords<Connected>.patience))
            } else {
                if let farewell { actions.append(.sendToDevice(farewell)) }
                actions.append(.closeDevice)
            }
        }
        actions += backlog.map { .sendToUplink($0) }
        guard fate != .discarded, let will = connected.will else { return actions + part(from: uplink) }
        let version = Self.streamVersion(connected.version)
        let delay = fate == .dueNow ? 0 : will.delay
        if delay == 0, uplink == .open, !isInsidePacket {
            return actions + publish(will, version, packetID: connected.unusedID)
        }
        actions += part(from: uplink)
        let leaving = Leaving(will: will, version: version, isLegOpen: uplink == .open, isDue: delay == 0)
        state = .leaving(leaving)
        guard leaving.isDue else { return actions + [.linger(atMost: .seconds(Int64(delay)))] }
        return actions + reopenIfReady(leaving)
    }

    private func isDeviceGone(_ why: SessionEnd) -> Bool { why == .deviceVanished && !hasDeviceFinished }

    /// A packet that is cut off by FIN is none: the broker takes what came before it, and the end.
    private mutating func part(from uplink: UplinkState) -> [SessionAction] {
        switch uplink {
        case .open:
            return finish()
        case .useless:
            state = .ended
            return [.closeUplink]
        case .gone:
            state = .ended
            return []
        }
    }

    mutating func finish() -> [SessionAction] {
        state = .finishing
        return [.finishUplink, .start(.goodbye, after: Self.goodbyeTimeout)]
    }
}

// MARK: - The will

extension DataStreamSession {
    mutating func publish(_ will: StoredWill, _ version: MQTTVersion, packetID: UInt16) -> [SessionAction] {
        let send = SessionAction.sendToUplink(will.publish(packetID))
        guard will.qos > .atMostOnce else { return [send] + finish() }
        state = .publishing(Publishing(version: version, packetID: packetID))
        return [send, .start(.goodbye, after: Self.goodbyeTimeout)]
    }

    /// Its delay is over, or cut short.
    mutating func willDue(_ leaving: Leaving, timer: [SessionAction]) -> [SessionAction] {
        var leaving = leaving
        leaving.isDue = true
        state = .leaving(leaving)
        return timer + reopenIfReady(leaving)
    }

    private mutating func reopenIfReady(_ leaving: Leaving) -> [SessionAction] {
        guard leaving.isDue, !leaving.isLegOpen else { return [] }
        state = .reopening(leaving.will, leaving.version)
        return [
            .start(.uplinkConnect, after: context.device.connectTimeout), .openDataStream(leaving.version),
        ]
    }

    /// The leg is at its end, and the device has been gone before.
    private mutating func legEnded(_ why: SessionEnd, _ uplink: UplinkState) -> [SessionAction] {
        let leg: [SessionAction] = uplink == .gone ? [] : [.closeUplink]
        switch state {
        case .leaving(var leaving):
            guard leaving.isLegOpen else { return [] }
            leaving.isLegOpen = false
            state = .leaving(leaving)
            return [.stop(.goodbye)] + leg + reopenIfReady(leaving)
        case .reopening:
            state = .ended
            return [.stop(.uplinkConnect), .note(.willLost("\(why)"))] + leg
        case .publishing:
            state = .ended
            return [.stop(.goodbye), .note(.willLost("\(why), before it acknowledged it"))] + leg
        case .finishing:
            state = .ended
            return [.stop(.goodbye)] + leg
        case .awaitingConnect, .authenticating, .connecting, .connected, .ended, .taken:
            return []
        }
    }

    /// Of all that the broker sends, only its answers to the will matter.
    mutating func uplinkSent(_ frame: Frame, while publishing: Publishing) -> [SessionAction] {
        let code = frame.acknowledgementCode
        switch frame.type {
        case .puback, .pubcomp:
            return willAnswered(code)
        case .pubrec where code >= 0x80:
            return willAnswered(code)
        case .pubrec:
            guard
                let release = try? PublishAck(packetID: publishing.packetID)
                    .encode(as: .pubrel, version: publishing.version)
            else { return [] }
            return [.sendToUplink(release)]
        default:
            return []
        }
    }

    private mutating func willAnswered(_ code: UInt8) -> [SessionAction] {
        let notes: [SessionAction] = code >= 0x80 ? [.note(.willRefused(code: code))] : []
        return notes + finish()
    }
}

// MARK: - What the device is told

extension DataStreamSession {
    private func farewell(_ why: SessionEnd, _ tells: ReasonCode?, _ connected: Connected) -> ByteBuffer? {
        guard connected.version == .v5_0, !connected.down.isInsidePacket, let code = tells ?? why.dataStreamCode else {
            return nil
        }
        var disconnect = Disconnect(reasonCode: code.rawValue)
        disconnect.properties.reasonString = "\(why)"
        return try? disconnect.encoded(.v5_0, within: connected.maximumPacketSize)
    }

    /// A CONNACK that says no, to 5.0 with the reason in words where they fit [MQTT-3.2.2-19].
    private static func refusal(
        _ version: MQTTVersion, code: UInt8, message: String, maximumPacketSize: UInt32?
    ) -> ByteBuffer? {
        var connack = Connack(sessionPresent: false, code: code)
        if version == .v5_0 { connack.properties.reasonString = message }
        return try? connack.encoded(version, within: maximumPacketSize)
    }
}

extension DataStreamSession.Connected {
    /// Whether the device takes a packet of so many bytes.
    func fits(_ length: Int) -> Bool { maximumPacketSize.map { length <= $0 } ?? true }

    /// What is left of the leg, what it is still given where it may answer, and whether that ends inside a packet.
    fileprivate func standing(
        _ uplink: DataStreamSession.UplinkState
    ) -> (timers: [SessionAction], DataStreamSession.UplinkState, backlog: [ByteBuffer], isInsidePacket: Bool) {
        guard let hold else { return ([], uplink, [], up.isInsidePacket) }
        switch hold.phase {
        case .up:
            return ([], uplink, [], hold.journal.isInsidePacket)
        case .silent where uplink == .open:
            var journal = hold.journal
            let (backlog, isInsidePacket) = journal.drain()
            return ([.stop(.hold)], uplink, backlog, isInsidePacket)
        case .silent:
            return ([.stop(.hold)], uplink, [], hold.journal.isInsidePacket)
        case .waiting, .pausing, .returning:
            return ([.stop(.hold)], uplink == .open ? .useless : uplink, [], false)
        }
    }

    /// For the will: a packet identifier of none that the broker has not answered yet.
    fileprivate var unusedID: UInt16 {
        // A device has to have all 65,535 in flight for none to be left; then its will is as good as any of them.
        (1...UInt16.max).first { usedIDs?.contains($0) != true && hold?.journal.isUsed($0) != true } ?? 1
    }
}

extension Frame {
    /// The reason code of a PUBACK, PUBREC, PUBREL or PUBCOMP; 0 where it has none.
    var acknowledgementCode: UInt8 {
        bytes.readableBytes > headerLength + 2 ? bytes.getInteger(at: bytes.readerIndex + headerLength + 2) ?? 0 : 0
    }
}

extension SessionEnd {
    /// For a device that waits for its CONNACK. What the broker says is about the gateway, and never the device's
    /// fault.
    fileprivate var refusalCode: ReasonCode {
        switch self {
        case .deviceViolation(let error): error.reasonCode
        case .notAllowed: .notAuthorized
        case .badCredentials: .badUserNameOrPassword
        default: .serverUnavailable
        }
    }

    /// For a connected 5.0 device. What ends on the broker's side is "Server shutting down", whatever it was: of the
    /// codes that DISCONNECT may have (MQTT 5 3.14.2.1, 0x88 is none of them) it is the one that says "not your fault,
    /// come back".
    fileprivate var dataStreamCode: ReasonCode? {
        switch self {
        case .deviceDisconnected, .deviceVanished, .noConnectPacket, .notMQTT, .badCredentials: nil
        case .keepAliveExpired: .keepAliveTimeout
        case .deviceViolation(let error): error.reasonCode
        case .notAllowed: .notAuthorized
        case .takenOver: .sessionTakenOver
        case .overLimit: .quotaExceeded
        case .brokerClosed, .brokerDisconnected, .brokerViolation, .refusedByBroker, .uplinkUnreachable, .uplinkLost,
            .holdExpired, .shutdown:
            .serverShuttingDown
        }
    }
}
