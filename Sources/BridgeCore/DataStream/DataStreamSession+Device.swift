import MQTTCodec
import NIOCore

// What a connected device sends.
extension DataStreamSession {
    mutating func deviceSent(
        _ element: FrameDecoder.Element, in connected: inout Connected
    ) -> [SessionAction] {
        do throws(MQTTError) {
            switch element {
            case .packet(let frame):
                return try deviceSent(frame, in: &connected)
            case .publishBegin(let begin):
                return try deviceBegan(begin, in: &connected)
            case .unreadBegin(let begin):
                // Only a lenient reading lets it come to this.
                throw begin.error ?? .unreadable(.publish)
            case .payload(let bytes, let isLast):
                var actions: [SessionAction] = []
                if connected.up.isForwarded {
                    let step = connected.hold?.journal.piece(bytes, isLast: isLast)
                    actions =
                        try step.map { step throws(MQTTError) in try perform(step, in: &connected) }
                        ?? [.sendToUplink(bytes)]
                }
                guard isLast else { return actions }
                // The replies go the other way, where another long packet may be under way.
                for reply in connected.up.takeDeferred() { actions += connected.toDevice(reply) }
                for held in connected.up.end() { actions.append(.sendToUplink(held)) }
                return actions
            }
        } catch {
            return leave(connected, .deviceViolation(error), will: .due)
        }
    }

    private mutating func deviceSent(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        switch frame.type {
        case .publish:
            if let refusal = try connected.refusal(of: frame) {
                return leave(connected, .notAllowed(refusal.message), will: .due, tells: refusal.reasonCode)
            }
            return try pass(frame, in: &connected)
        case .subscribe, .unsubscribe, .pubrel:
            return try pass(frame, in: &connected)
        case .puback, .pubrec, .pubcomp:
            return try deviceAcknowledged(frame, in: &connected)
        case .pingreq:
            guard connected.down.takesPong() else { return [] }
            return connected.toDevice(try Packet.pingresp.encode(version: connected.version))
        case .disconnect:
            return try deviceDisconnected(frame, in: connected)
        case .connect:
            throw .secondConnect
        case .auth:
            throw .unaskedAuth
        case .connack, .suback, .unsuback, .pingresp:
            throw .serverPacketFromClient(frame.type)
        }
    }

    /// [MQTT-3.14.4-3]: the will is discarded with a normal DISCONNECT only.
    private mutating func deviceDisconnected(
        _ frame: Frame, in connected: Connected
    ) throws(MQTTError) -> [SessionAction] {
        let disconnect = try Disconnect.decode(frame, version: connected.version)
        var connected = connected
        if let expiry = disconnect.properties.sessionExpiryInterval {
            guard expiry == 0 || !connected.hasNoExpiry else { throw .expiryAtTheEnd }
            connected.will?.shorten(sessionExpiry: expiry)
        }
        return leave(connected, .deviceDisconnected, will: disconnect.reasonCode == 0 ? .discarded : .due)
    }

    private mutating func deviceBegan(
        _ original: StreamedPublish, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        let begin = connected.version == .v3_1 ? original.asLaterVersions : original
        if let refusal = connected.refusal(of: begin) {
            return leave(connected, .notAllowed(refusal.message), will: .due, tells: refusal.reasonCode)
        }
        let routed = try connected.router.fromDevice(begin)
        if let refusal = routed.close {
            return leave(connected, .notAllowed(refusal.message), will: .due, tells: refusal.reasonCode)
        }
        guard let head = routed.head else {
            connected.up.begin(isForwarded: false, deferred: routed.reply)
            return []
        }
        guard connected.brokerTakes(head.readableBytes + begin.payloadLength) else {
            return leave(connected, Self.tooLargeOnceRouted, will: .due, tells: .packetTooLarge)
        }
        connected.noteSent([head], of: .publish)
        connected.up.begin(isForwarded: true, deferred: routed.reply)
        guard let step = try connected.hold?.journal.begin(head, payloadLength: begin.payloadLength) else {
            return [.sendToUplink(head)]
        }
        return try perform(step, in: &connected)
    }

    /// Through the routes.
    private mutating func pass(
        _ original: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        let frame = connected.version == .v3_1 ? try original.asLaterVersions() : original
        let routed = try connected.router.fromDevice(frame)
        guard connected.brokerTakes(routed.forward.reduce(0) { $0 + $1.readableBytes }) else {
            return leave(connected, Self.tooLargeOnceRouted, will: .due, tells: .packetTooLarge)
        }
        connected.noteSent(routed.forward, of: frame.type)
        var actions = try passUp(routed.forward, in: &connected)
        for reply in routed.reply { actions += connected.toDevice(reply) }
        if let refusal = routed.close {
            actions += leave(connected, .notAllowed(refusal.message), will: .due, tells: refusal.reasonCode)
        }
        return actions
    }

    /// The answer to a delivery.
    private mutating func deviceAcknowledged(
        _ frame: Frame, in connected: inout Connected
    ) throws(MQTTError) -> [SessionAction] {
        guard connected.window != nil, let packetID = frame.leadingPacketID else {
            return try pass(frame, in: &connected)
        }
        let passage: DeliveryWindow.Passage?
        switch frame.type {
        case .pubrec where frame.acknowledgementCode < 0x80: passage = connected.window?.deviceReceived(packetID)
        case .pubcomp: passage = connected.window?.deviceCompleted(packetID)
        default:
            connected.window?.deviceFinished(packetID)
            passage = .pass
        }
        switch passage {
        case .pass, nil:
            return try pass(frame, in: &connected)
        case .passAndRelease:
            let release = try connected.router.acknowledgement(.pubrel, packetID)
            return try pass(frame, in: &connected) + connected.toDevice(release)
        case .swallow, .answer:
            return []
        }
    }

    static let tooLargeOnceRouted = SessionEnd.notAllowed(
        "a packet is larger than the broker allows, by itself or once it is routed")
}

extension DataStreamSession.Connected {
    /// A packet of our own for the device never lands inside one that is passing through in pieces.
    /// Nor is it longer than the device takes [MQTT-3.1.2-24].
    mutating func toDevice(_ bytes: ByteBuffer) -> [SessionAction] {
        guard fits(bytes.readableBytes) else { return [] }
        return down.sendOrHold(bytes) ? [.sendToDevice(bytes)] : []
    }

    var acceptsDeviceInput: Bool {
        !down.isFull && (hold?.journal.acceptsInput(isDeliveryBlocked: window?.isFull == true) ?? true)
    }

    func brokerTakes(_ length: Int) -> Bool { limits.maximumPacketSize.map { length <= $0 } ?? true }

    /// Keeps the packet identifiers that the broker has to answer.
    mutating func noteSent(_ packet: [ByteBuffer], of type: PacketType) {
        guard usedIDs != nil, let first = packet.first else { return }
        switch type {
        case .publish:
            if let packetID = PublishGlance(first, version: version)?.packetID { usedIDs?.insert(packetID) }
        case .subscribe, .unsubscribe:
            if let packetID = (try? Frame(packet: first, version: version))?.leadingPacketID {
                usedIDs?.insert(packetID)
            }
        default: break
        }
    }

    /// Why a PUBLISH of the device ends its session: it is beyond what its CONNACK allowed.
    func refusal(of frame: Frame) throws(MQTTError) -> Refusal? {
        guard let glance = PublishGlance(frame.bytes, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        var hasAlias = false
        if glance.needsDecoding {
            hasAlias = try PublishHead.decode(frame, version: version).0.properties.topicAlias != nil
        }
        return refusal(
            qos: glance.qos, retain: glance.retain, hasAlias: hasAlias, length: frame.bytes.readableBytes)
    }

    func refusal(of begin: StreamedPublish) -> Refusal? {
        refusal(
            qos: begin.publish.qos, retain: begin.publish.retain,
            hasAlias: begin.publish.properties.topicAlias != nil,
            length: begin.head.readableBytes + begin.payloadLength)
    }

    private func refusal(qos: QoS, retain: Bool, hasAlias: Bool, length: Int) -> Refusal? {
        if qos > limits.maximumQoS {
            return Refusal(
                reasonCode: .qosNotSupported,
                message: "PUBLISH has QoS \(qos.rawValue), the limit is \(limits.maximumQoS.rawValue)"
                    + " ([MQTT-3.2.2-11])")
        }
        if retain, !limits.isRetainAvailable {
            return Refusal(
                reasonCode: .retainNotSupported,
                message: "PUBLISH is retained, and the broker keeps no messages ([MQTT-3.2.2-14])")
        }
        if hasAlias {
            return Refusal(
                reasonCode: .topicAliasInvalid,
                message: "PUBLISH has a topic alias, and none are allowed ([MQTT-3.2.2-18])")
        }
        guard brokerTakes(length) else {
            return Refusal(
                reasonCode: .packetTooLarge,
                message: "PUBLISH has \(length) bytes, the limit is \(limits.maximumPacketSize ?? 0)"
                    + " ([MQTT-3.2.2-15])")
        }
        return nil
    }
}

// MARK: - MQTT 3.1

extension Frame {
    /// The same as MQTT 3.1.1 has it: 3.1 lets DUP be set where it later was forbidden, and looks at no unused bits.
    fileprivate func asLaterVersions() throws(MQTTError) -> Frame {
        switch type {
        case .publish:
            return flags & 0b0110 == 0 && flags & 0b1000 != 0 ? try replacingFlags(flags & 0b0111) : self
        case .pubrel, .unsubscribe:
            return flags == 0b0010 ? self : try replacingFlags(0b0010)
        case .subscribe:
            let bytes = try Subscribe.decode(self, version: .v3_1).encode(version: .v3_1)
            return try Frame(packet: bytes, version: .v3_1)
        default:
            return flags == 0 ? self : try replacingFlags(0)
        }
    }

    private func replacingFlags(_ flags: UInt8) throws(MQTTError) -> Frame {
        var bytes = bytes
        bytes.setInteger(type.rawValue << 4 | flags, at: bytes.readerIndex)
        return try Frame(packet: bytes, version: .v3_1)
    }
}

extension StreamedPublish {
    fileprivate var asLaterVersions: StreamedPublish {
        guard publish.isDuplicate, publish.qos == .atMostOnce else { return self }
        var head = head
        var publish = publish
        publish.isDuplicate = false
        head.setInteger(PacketType.publish.rawValue << 4 | flags & 0b0111, at: head.readerIndex)
        return StreamedPublish(head: head, flags: flags & 0b0111, publish: publish, payloadLength: payloadLength)
    }
}
