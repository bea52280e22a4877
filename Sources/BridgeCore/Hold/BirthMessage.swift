import MQTTCodec
import NIOCore

/// The device's last retained message to the topic of its own retained will.
///
/// Where the way to the broker is away, the broker publishes the will, and "offline" stays in the topic although the
/// device is connected: the device says "online" when it connects, and as far as it knows it never was away. So the
/// session says again what the device said last, whatever that was: also an empty message, which clears the topic.
///
/// Topics are compared as the broker has them, behind the routes.
struct BirthMessage: Sendable {
    /// Bytes of the packet; a longer one is not remembered, nor one that takes more than a quarter of what may be kept
    /// for the device.
    static let maximumLength = 16_384

    private let topic: [UInt8]
    private let limit: Int
    private let share: HoldShare
    private(set) var message: KeptPacket?

    /// - Parameter topic: Of the will.
    init(topic: String, _ policy: HoldPolicy) {
        self.topic = Array(topic.utf8)
        limit = min(Self.maximumLength, policy.configuration.buffer / 4)
        share = HoldShare(policy.budget)
    }

    /// Bytes that are charged for it.
    var cost: Int { message?.cost ?? 0 }

    /// The device publishes; `packet` is complete and has no topic alias, in one buffer or two. One that can't be
    /// remembered ends what was.
    mutating func published(_ packet: [ByteBuffer]) {
        guard let first = packet.first, concerns(first) else { return }
        forget()
        let length = packet.reduce(0) { $0 + $1.readableBytes }
        guard length <= limit, share.budget.hasRoom(for: length + KeptPacket.overhead) else { return }
        let kept = KeptPacket(joining: packet)
        share.charge(kept.cost)
        message = kept
    }

    /// A message that is too long to be handed over in one piece begins.
    mutating func began(_ head: ByteBuffer) {
        if concerns(head) { forget() }
    }

    private mutating func forget() {
        share.giveBack(cost)
        message = nil
    }

    /// Whether that is a retained PUBLISH to the topic.
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

    /// The message for another leg; `nil` where the broker takes no such message there.
    ///
    /// At QoS 2 it becomes one at QoS 1: it has been published before, so "exactly once" would promise too much.
    ///
    /// - Parameter packetID: Not used at QoS 0.
    func packet(_ packetID: UInt16, _ limits: LegLimits) -> ByteBuffer? {
        guard let message, limits.takesRetained, qos <= limits.maximumQoS,
            message.length <= limits.maximumPacketSize ?? .max
        else { return nil }
        var packet = message.first
        guard qos > .atMostOnce, let flags: UInt8 = packet.getInteger(at: packet.readerIndex) else { return packet }
        packet = packet.replacing(packetIDWith: packetID)
        packet.setInteger(flags & 0b1111_0001 | QoS.atLeastOnce.rawValue << 1, at: packet.readerIndex)
        return packet
    }

    /// That it is published with; 0 where there is none.
    var qos: QoS {
        guard let message, let flags: UInt8 = message.first.getInteger(at: message.first.readerIndex) else {
            return .atMostOnce
        }
        return flags & 0b0110 == 0 ? .atMostOnce : .atLeastOnce
    }
}

// The way back.
extension Journal {
    /// The message to begin another leg with, if there is one.
    ///
    /// None is needed where a later one, or the same, is about to be sent anyway, and the broker is going to take it for
    /// a message: not where it was sent before at QoS 2, and the broker may know its identifier.
    func birth(isSessionPresent: Bool, _ limits: LegLimits) -> (packet: ByteBuffer, packetID: UInt16?)? {
        guard let birth = births.first, birth.message != nil else { return nil }
        let isComing =
            ledger?.queue.contains { outgoing in
                let isNew = !isSessionPresent || !outgoing.wasSent || outgoing.packet.qos != .exactlyOnce
                return isNew && birth.concerns(outgoing.packet.first)
            } ?? false
        let isAgain =
            !isSessionPresent
            && ledger?.up.values.contains { $0.isBetween && $0.kept.map { birth.concerns($0.first) } == true } == true
        guard !isComing, !isAgain else { return nil }
        let packetID: UInt16? = birth.qos == .atMostOnce ? nil : ledger?.unusedIDs(1).first ?? .max
        return birth.packet(packetID ?? 0, limits).map { ($0, packetID) }
    }
}

extension KeptPacket {
    /// The QoS in the fixed header of a PUBLISH.
    fileprivate var qos: QoS? {
        first.getInteger(at: first.readerIndex, as: UInt8.self).flatMap { QoS(rawValue: $0 >> 1 & 0b11) }
    }
}
