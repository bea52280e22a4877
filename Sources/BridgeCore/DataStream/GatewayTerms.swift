import MQTTCodec
import NIOCore

/// What the bridge has to take care of for a device in a session of the gateway, because the broker does not know the
/// device: the limits that the device was told, those that it set itself, and its will.
struct GatewayTerms: Sendable {
    /// What the device's CONNACK allowed.
    let limits: GatewayLimits
    /// `nil` if the device set no Receive Maximum.
    var window: DeliveryWindow?
    var will: StoredWill?
    /// QoS 2 deliveries that were too large for the device, until their PUBREL. At most 65,535.
    private var discarded: Set<UInt16> = []
    /// Packet identifiers that the broker has not answered yet. They are only kept if there is a will at QoS 1 or 2, which
    /// needs one that is not in use. At most 65,535.
    private var usedIDs: Set<UInt16>?

    init(_ limits: GatewayLimits, receiveMaximum: UInt16?, will: StoredWill?) {
        self.limits = limits
        self.will = will
        window = receiveMaximum.map { DeliveryWindow(limit: $0) }
        usedIDs = (will?.qos ?? .atMostOnce) > .atMostOnce ? [] : nil
    }

    /// Whether the broker accepts a packet of that many bytes.
    func takes(_ length: Int) -> Bool { limits.maximumPacketSize.map { length <= $0 } ?? true }

    func isInUse(_ packetID: UInt16) -> Bool { usedIDs?.contains(packetID) ?? false }
}

// MARK: - What the device sends

extension GatewayTerms {
    /// Notes the packet identifier, if the broker has to answer the packet.
    mutating func noteSent(_ packet: ByteBuffer, of type: PacketType, _ version: MQTTVersion) {
        guard usedIDs != nil else { return }
        switch type {
        case .publish:
            if let packetID = PublishGlance(packet, version: version)?.packetID { usedIDs?.insert(packetID) }
        case .subscribe, .unsubscribe:
            if let packetID = (try? Frame(packet: packet, version: version))?.leadingPacketID {
                usedIDs?.insert(packetID)
            }
        default: break
        }
    }

    /// Why a PUBLISH of the device ends its session, if it goes beyond what CONNACK allowed.
    func refusal(of frame: Frame, _ version: MQTTVersion) throws(MQTTError) -> Refusal? {
        let glance = try PublishGlance(whole: frame.bytes, version: version)
        var hasAlias = false
        if glance.needsDecoding {
            hasAlias = try PublishHead.decode(frame, version: version).0.properties.topicAlias != nil
        }
        return refusal(
            qos: glance.qos, retain: glance.retain, hasAlias: hasAlias, length: frame.bytes.readableBytes)
    }

    /// The same for a long PUBLISH.
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
        guard takes(length) else {
            return Refusal(
                reasonCode: .packetTooLarge,
                message: "PUBLISH has \(length) bytes, the limit is \(limits.maximumPacketSize ?? 0)"
                    + " ([MQTT-3.2.2-15])")
        }
        return nil
    }
}

// MARK: - What the broker sends

extension GatewayTerms {
    /// Forgets the packet identifier of something that the broker has answered.
    mutating func noteAnswered(_ frame: Frame) {
        guard usedIDs != nil, let packetID = frame.leadingPacketID else { return }
        switch frame.type {
        // A PUBREC that is no error only begins the second half.
        case .pubrec where frame.acknowledgementCode < 0x80: break
        case .puback, .pubrec, .pubcomp, .suback, .unsuback: usedIDs?.remove(packetID)
        default: break
        }
    }

    /// What the broker is told of a delivery that is larger than the device accepts, and so is not sent: that all is well
    /// ([MQTT-3.1.2-24], [MQTT-3.1.2-25]). `nil` if it is sent; then it takes its place among those in flight.
    mutating func replyInsteadOfDelivery(
        _ head: ByteBuffer, length: Int, _ facts: DeviceFacts
    ) throws(MQTTError) -> [ByteBuffer]? {
        guard facts.maximumPacketSize != nil || window != nil else { return nil }
        let glance = try PublishGlance(whole: head, version: facts.version)
        guard let packetID = glance.packetID else { return facts.takes(length) ? nil : [] }
        guard !facts.takes(length) else {
            window?.delivered(packetID)
            return nil
        }
        if glance.qos == .exactlyOnce { discarded.insert(packetID) }
        let type: PacketType = glance.qos == .exactlyOnce ? .pubrec : .puback
        return [try PublishAck(packetID: packetID).encode(as: type, version: facts.version)]
    }

    /// What happens to the broker's PUBREL.
    mutating func brokerReleased(_ packetID: UInt16) -> DeliveryWindow.Passage {
        if discarded.remove(packetID) != nil { return .answer }
        return window?.brokerReleased(packetID) ?? .pass
    }
}

extension PublishGlance {
    /// A PUBLISH that was read as a whole, or its head.
    fileprivate init(whole bytes: ByteBuffer, version: MQTTVersion) throws(MQTTError) {
        guard let glance = PublishGlance(bytes, version: version) else {
            throw MQTTError(.malformed, clause: "\(version) 3.3", message: "PUBLISH: ends before its head does")
        }
        self = glance
    }
}

extension ByteBuffer {
    /// A packet without payload as the device accepts it: without reason string and user properties if the device wants
    /// none ([MQTT-3.1.2-29]) or the packet is too large with them. `nil` if it is too large without them as well.
    func fitting(_ facts: DeviceFacts) throws(MQTTError) -> ByteBuffer? {
        let version = facts.version
        guard version == .v5_0, !facts.takesProblemInformation || !facts.takes(readableBytes) else { return self }
        let stripped = try Packet.decode(Frame(packet: self, version: version), version: version)
            .withoutProblemInformation.encode(version: version)
        return facts.takes(stripped.readableBytes) ? stripped : nil
    }
}

extension Packet {
    fileprivate var withoutProblemInformation: Packet {
        switch self {
        case .puback(var ack):
            ack.properties = []
            return .puback(ack)
        case .pubrec(var ack):
            ack.properties = []
            return .pubrec(ack)
        case .pubrel(var ack):
            ack.properties = []
            return .pubrel(ack)
        case .pubcomp(var ack):
            ack.properties = []
            return .pubcomp(ack)
        case .suback(var suback):
            suback.properties = []
            return .suback(suback)
        case .unsuback(var unsuback):
            unsuback.properties = []
            return .unsuback(unsuback)
        case .connect, .connack, .publish, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            return self
        }
    }
}
