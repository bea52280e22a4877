import MQTTCodec
import NIOCore

/// The device's last retained message to the topic of its own retained will.
///
/// When the uplink is lost, the broker publishes the will, and "offline" stays in the topic although the device is
/// connected: the device says "online" only when it connects, and does not know that it was away. So the session
/// repeats the device's last message, whatever it was, even an empty one that clears the topic.
///
/// Topics are compared as the broker has them, behind the routes.
struct BirthMessage: Sendable {
    /// The longest packet that is remembered, in bytes. A packet that takes more than a quarter of what may be kept for
    /// the device is not remembered either.
    static let maximumLength = 16_384

    private let topic: [UInt8]
    private let version: MQTTVersion
    private let policy: HoldPolicy
    private let limit: Int
    private let share: HoldShare
    private(set) var message: KeptPacket?

    /// - Parameter topic: The topic of the will.
    init(topic: String, _ version: MQTTVersion, _ policy: HoldPolicy) {
        self.topic = Array(topic.utf8)
        self.version = version
        self.policy = policy
        limit = min(Self.maximumLength, policy.configuration.buffer / 4)
        share = HoldShare(policy.budget)
    }

    /// Bytes that are charged for the message.
    var cost: Int { message?.cost ?? 0 }

    /// The device publishes; `packet` is complete and has no topic alias, in one buffer or two. A packet that can't be
    /// remembered still replaces the previous one.
    mutating func published(_ packet: BufferList) {
        guard let first = packet.first, concerns(first) else { return }
        forget()
        let length = packet.byteCount
        // It is charged even if other sessions have filled the budget for a moment.
        guard length <= limit else { return }
        let kept = KeptPacket(joining: packet, expires: policy.expiry(of: first, version))
        share.charge(kept.cost)
        message = kept
    }

    /// A message begins that is too long to be handed over in one piece.
    mutating func began(_ head: ByteBuffer) {
        if concerns(head) { forget() }
    }

    private mutating func forget() {
        share.giveBack(cost)
        message = nil
    }

    /// Whether the packet is a retained PUBLISH to the topic.
    func concerns(_ packet: ByteBuffer) -> Bool {
        var reader = packet
        guard let first: UInt8 = reader.readInteger(), first >> 4 == PacketType.publish.rawValue, first & 1 != 0 else {
            return false
        }
        for _ in 0..<4 {
            guard let lengthByte: UInt8 = reader.readInteger() else { return false }
            if lengthByte & 0x80 == 0 { break }
        }
        guard let length: UInt16 = reader.readInteger(), Int(length) == topic.count,
            let bytes = reader.readSlice(length: Int(length))
        else { return false }
        return bytes.readableBytesView.elementsEqual(topic)
    }

    /// The message for another leg; `nil` if the broker does not accept it there, or its time is over.
    ///
    /// At QoS 2 it becomes a message at QoS 1: it has been published before, so "exactly once" would promise too much.
    ///
    /// - Parameter packetID: Not used at QoS 0.
    func packet(_ packetID: UInt16, _ limits: LegLimits) -> ByteBuffer? {
        guard var message, limits.takesRetained, qos <= limits.maximumQoS,
            message.length <= limits.maximumPacketSize ?? .max, !message.isExpired(at: policy.now())
        else { return nil }
        message.age(to: policy.now())
        var packet = message.first
        guard qos > .atMostOnce, let flags: UInt8 = packet.getInteger(at: packet.readerIndex) else { return packet }
        packet = packet.replacing(packetIDWith: packetID)
        packet.setInteger(flags & 0b1111_0001 | QoS.atLeastOnce.rawValue << 1, at: packet.readerIndex)
        return packet
    }

    /// The QoS with which the message is repeated; 0 if there is none.
    var qos: QoS {
        guard let message, let flags: UInt8 = message.first.getInteger(at: message.first.readerIndex) else {
            return .atMostOnce
        }
        return flags & 0b0110 == 0 ? .atMostOnce : .atLeastOnce
    }
}

// The way back.
extension Journal {
    /// The message with which to begin on another leg, if there is one.
    ///
    /// None is needed if the same message or a later one is about to be sent anyway and the broker will take it for a
    /// new message. The broker may not, if the message was sent before at QoS 2 and the broker knows its identifier.
    func birth(isSessionPresent: Bool, _ limits: LegLimits) -> (packet: ByteBuffer, packetID: UInt16?)? {
        guard let birth = births.first, birth.message != nil, !isComing(birth, isSessionPresent: isSessionPresent)
        else {
            return nil
        }
        let packetID: UInt16? = birth.qos == .atMostOnce ? nil : ledger?.unusedIDs(1).first ?? .max
        return birth.packet(packetID ?? 0, limits).map { ($0, packetID) }
    }

    /// A message at QoS 0 is lost with its leg. If an older one to the topic is about to be sent again, the message follows
    /// that one.
    mutating func repeatBirthBehindOlder(isSessionPresent: Bool, _ limits: LegLimits) {
        guard let birth = births.first, let message = birth.message, birth.qos == .atMostOnce,
            isComing(birth, isSessionPresent: isSessionPresent),
            ledger?.queue.contains(where: { $0.kind == .atMostOnce && birth.concerns($0.packet.first) }) == false,
            birth.packet(0, limits) != nil
        else { return }
        ledgers[0].enqueue(Outgoing(kind: .atMostOnce, packetID: 0, packet: message))
    }

    /// Whether the message or an older one to its topic is about to be sent, and the broker will take it for a new one.
    private func isComing(_ birth: BirthMessage, isSessionPresent: Bool) -> Bool {
        let isWaiting =
            ledger?.queue.contains { outgoing in
                let isNew = !isSessionPresent || !outgoing.wasSent || outgoing.packet.qos != .exactlyOnce
                return isNew && !outgoing.packet.isExpired(at: policy.now()) && birth.concerns(outgoing.packet.first)
            } ?? false
        let isAgain =
            !isSessionPresent
            && ledger?.up.values.contains { flow in
                guard flow.isBetween, let kept = flow.kept, !kept.isExpired(at: policy.now()) else { return false }
                return birth.concerns(kept.first)
            } == true
        return isWaiting || isAgain
    }
}
