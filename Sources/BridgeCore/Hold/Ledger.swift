import MQTTCodec
import NIOCore

/// The packets of one session that are under way, as the broker's side of the router has them: what would have to be
/// sent again on another leg, what waits for one, and which packet identifiers are in use.
///
/// Bounds: the bytes of messages are charged (see ``acceptsInput(isDeliveryBlocked:)``), and so is all else that is freed
/// without the device's doing. What only its next packet frees can't be, as that would not be read: there is at most one
/// entry for each of the 65,535 packet identifiers of either direction.
struct Ledger: Sendable {
    /// What a packet leads to.
    struct Step: Sendable {
        /// For the leg, in this order.
        var up: [ByteBuffer] = []
        /// For the device, as if they came from the broker: whole packets.
        var down: [ByteBuffer] = []
        /// Something is larger than the broker allows since the return.
        var isTooLarge = false
    }

    /// The send quota of MQTT 5 4.9.
    struct Window: Sendable {
        let maximum: UInt16
        private(set) var left: UInt16

        init(_ maximum: UInt16) {
            self.maximum = maximum
            left = maximum
        }

        mutating func sent() { if left > 0 { left -= 1 } }
        mutating func finished() { if left < maximum { left += 1 } }
    }

    let version: MQTTVersion
    /// Bytes.
    let buffer: Int
    let dropsQoS0: Bool
    let share: HoldShare

    /// Packets may go out now.
    var isOpen: Bool
    var up: [UInt16: UpFlow] = [:]
    var sequence: UInt64 = 0
    var queue = CircularBuffer<Outgoing>(initialCapacity: 1)
    /// The one that is coming in.
    var long: LongPublish?
    /// One that has come in whole while the leg, which has its beginning, was silent.
    var tail: LongPublish?
    /// Packets of the bridge that wait for the end of the long one.
    var behindLong: [ByteBuffer] = []
    private(set) var pending = PendingAcknowledgements()
    /// Packet identifiers of SUBSCRIBE packets of the bridge's own, until their SUBACK.
    var own: Set<UInt16> = []
    var unkept = 0
    var down: [UInt16: DownFlow] = [:]
    /// From the broker's packet identifiers to the device's, where they differ.
    var remapped: [UInt16: UInt16] = [:]
    /// Set since a return: until then the device itself keeps to the Receive Maximum.
    var window: Window?
    /// Set since a return, where it is less than the device was told.
    var maximumPacketSize: Int?

    init(_ policy: HoldPolicy, version: MQTTVersion, isOpen: Bool) {
        self.version = version
        buffer = policy.configuration.buffer
        dropsQoS0 = policy.configuration.qos0 == .dropOldest
        share = HoldShare(policy.budget)
        self.isOpen = isOpen
    }

    /// Nothing is under way.
    var isEmpty: Bool {
        up.isEmpty && queue.isEmpty && long == nil && tail == nil && pending.isEmpty && own.isEmpty && down.isEmpty
            && behindLong.isEmpty && window == nil && maximumPacketSize == nil
    }

    /// The leg has been given the beginning of a packet and not its end.
    var isInsidePacket: Bool { tail != nil || long?.hasBegun == true }

    /// Whether all of it could be done again on another leg.
    var isHoldable: Bool { unkept == 0 && long?.isUnkept != true && tail?.isUnkept != true }

    /// Whether another packet of the device is taken.
    ///
    /// What frees memory never waits for what does not come in meanwhile: PUBACK and PUBREC of the broker free a message
    /// without the device's doing, and where they wait in the stream behind deliveries that the device has to answer
    /// first (`isDeliveryBlocked`), packets go on without being kept.
    func acceptsInput(isDeliveryBlocked: Bool) -> Bool {
        if let long, long.isReserved || long.isDropped || (isOpen && long.hasBegun) { return true }
        if share.bytes >= buffer { return isOpen && isDeliveryBlocked && queue.isEmpty }
        if share.budget.isFull { return isOpen && (share.bytes == 0 || isDeliveryBlocked) && queue.isEmpty }
        return true
    }

    var hasRoom: Bool { share.bytes < buffer && !share.budget.isFull }

    func hasRoom(for bytes: Int) -> Bool {
        share.bytes + bytes <= buffer && share.budget.hasRoom(for: bytes)
    }

    /// Whether a packet with that identifier may go out before all else.
    func mayGo(_ packetID: UInt16, isPublish: Bool) -> Bool {
        isOpen && queue.isEmpty && long == nil && tail == nil && mayGoNext(packetID, isPublish: isPublish)
    }

    func mayGoNext(_ packetID: UInt16, isPublish: Bool) -> Bool {
        guard packetID != 0 else { return true }
        return !own.contains(packetID) && !(isPublish && window?.left == 0)
    }

    /// An acknowledgement of the device that the leg can't be given now.
    mutating func keep(_ acknowledgement: PendingAcknowledgement) {
        if pending.add(acknowledgement) { share.charge(PendingAcknowledgements.cost) }
    }

    /// Those that waited: they are sent now, or are void with their leg.
    @discardableResult
    mutating func takePending() -> [PendingAcknowledgement] {
        defer { pending = PendingAcknowledgements() }
        share.giveBack(pending.count * PendingAcknowledgements.cost)
        return pending.list
    }

    /// A packet of the bridge's own making, or an answer of the device.
    mutating func emit(_ packet: ByteBuffer, _ step: inout Step) {
        if isInsidePacket { behindLong.append(packet) } else { step.up.append(packet) }
    }

    func acknowledgement(_ type: PacketType, _ packetID: UInt16, _ code: UInt8 = 0) -> ByteBuffer {
        // An identifier of 0 never gets here, and nothing else of so short a packet can fail.
        (try? PublishAck(packetID: packetID, reasonCode: version.hasProperties ? code : 0)
            .encode(as: type, version: version)) ?? ByteBuffer()
    }
}
