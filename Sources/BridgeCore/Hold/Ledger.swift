import MQTTCodec
import NIOCore

/// The packets of one session that are under way, as the broker's side of the router has them: what would have to be
/// sent again on another leg, what waits for one, and which packet identifiers are in use.
///
/// Bounds: the bytes of messages are charged (see ``acceptsInput(isDeliveryBlocked:)``), and so is all else that is freed
/// without the device's doing. What only its next packet frees can't be, as that would not be read: there is at most one
/// entry for each of the 65,535 packet identifiers of either direction, and the copies of messages that the broker has
/// taken already give way to all else.
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
    var buffer: Int
    let dropsQoS0: Bool
    let share: HoldShare
    /// The broker passes a message at QoS 2 on before it says PUBREC: then there is no need of it any more.
    let isPassedOnAtOnce: Bool

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
    /// Packet identifiers of packets of the bridge's own, until they are answered.
    var own: Set<UInt16> = []
    /// Messages under way that there was no room to keep.
    private(set) var unkept = 0
    /// Bytes charged for copies that may go to make room, and whose they are.
    private(set) var spareBytes = 0
    private(set) var spareIDs: Set<UInt16> = []
    var down: [UInt16: DownFlow] = [:]
    /// From the broker's packet identifiers to the device's, where they differ.
    var remapped: [UInt16: UInt16] = [:]
    /// Set since a return: until then the device itself keeps to the Receive Maximum.
    var window: Window?
    /// The window is there only until the broker has acknowledged a message of the bridge's own.
    var isWindowBrief = false
    /// Set since a return, where it is less than the device was told.
    var maximumPacketSize: Int?

    init(_ policy: HoldPolicy, version: MQTTVersion, isPassedOnAtOnce: Bool, isOpen: Bool) {
        self.version = version
        self.isPassedOnAtOnce = isPassedOnAtOnce
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

    /// Whether a broker that has lost the session has lost messages with it that are not here any more.
    var hasGivenUpCopies: Bool { up.values.contains { $0.isBetween && $0.hasMessage && $0.kept == nil } }

    /// Whether another packet of the device is taken.
    ///
    /// What frees memory never waits for what does not come in meanwhile: PUBACK and PUBREC of the broker free a message
    /// without the device's doing, and where they wait in the stream behind deliveries that the device has to answer
    /// first (`isDeliveryBlocked`), packets go on without being kept.
    func acceptsInput(isDeliveryBlocked: Bool) -> Bool {
        if let long, long.isReserved || long.isDropped || (isOpen && long.hasBegun) { return true }
        if firmBytes >= buffer { return isOpen && isDeliveryBlocked && queue.isEmpty }
        if share.budget.isFull { return isOpen && (firmBytes == 0 || isDeliveryBlocked) && queue.isEmpty }
        return true
    }

    /// Bytes that are charged, without those of copies that may go.
    var firmBytes: Int { share.bytes - spareBytes }

    var hasRoom: Bool { firmBytes < buffer && !share.budget.isFull }

    func hasRoom(for bytes: Int) -> Bool {
        firmBytes + bytes <= buffer && share.budget.hasRoom(for: bytes - spareBytes)
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
        if pending.add(acknowledgement) { charge(PendingAcknowledgements.cost) }
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

// The books.
extension Ledger {
    mutating func charge(_ bytes: Int) {
        share.charge(bytes)
        makeRoom()
    }

    /// Gives up the copies of messages that the broker has taken, where the room is needed. They are only of use where it
    /// loses the session, and then the device hears that they are gone (``hasGivenUpCopies``).
    mutating func makeRoom() {
        guard spareBytes > 0, share.bytes > buffer || share.budget.isFull else { return }
        for packetID in spareIDs { up[packetID]?.kept = nil }
        share.giveBack(spareBytes)
        spareBytes = 0
        spareIDs = []
    }

    /// Enters a flow under an identifier that has none.
    mutating func enter(_ flow: UpFlow, _ packetID: UInt16) {
        up[packetID] = flow
        if flow.isUnkept { unkept += 1 }
        if flow.spareCost > 0 {
            spareBytes += flow.spareCost
            spareIDs.insert(packetID)
        }
        charge(flow.firmCost + flow.spareCost)
    }

    /// Takes a flow off the books, with what was kept for it and its place in the window.
    @discardableResult
    mutating func forget(_ packetID: UInt16) -> UpFlow? {
        guard let flow = take(packetID) else { return nil }
        if flow.isCounted { window?.finished() }
        return flow
    }

    /// Changes a flow, and what is charged for it.
    mutating func change(_ packetID: UInt16, _ change: (inout UpFlow) -> Void) {
        guard var flow = take(packetID) else { return }
        change(&flow)
        enter(flow, packetID)
    }

    private mutating func take(_ packetID: UInt16) -> UpFlow? {
        guard let flow = up.removeValue(forKey: packetID) else { return nil }
        if flow.isUnkept { unkept -= 1 }
        if flow.spareCost > 0 {
            spareBytes -= flow.spareCost
            spareIDs.remove(packetID)
        }
        share.giveBack(flow.firmCost + flow.spareCost)
        return flow
    }
}
