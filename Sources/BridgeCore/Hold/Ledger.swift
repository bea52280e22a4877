import MQTTCodec
import NIOCore

/// The packets of one session that are in flight, as they stand on the broker's side of the router: what would have to
/// be sent again on another leg, what waits for one, and which packet identifiers are in use.
///
/// Bounds: the bytes of messages are charged (see ``acceptsInput(isDeliveryBlocked:)``), and so is everything else that
/// is freed without the device's help. What only the device's next packet frees can't be charged, because that packet
/// would not be read: so there is at most one entry for each of the 65,535 packet identifiers in either direction, and
/// copies of messages that the broker has received already give way to everything else.
struct Ledger: Sendable {
    /// What follows from a packet.
    struct Step: Sendable {
        /// For the leg, in this order.
        var up = BufferList()
        /// For the device, as if the broker had sent them: whole packets.
        var down: [ByteBuffer] = []
        /// Whether a packet is larger than the broker allows since the return.
        var isTooLarge = false
        /// How many messages were dropped because their time was over.
        var expired = 0
        /// How many messages at QoS 0 have made room for others since the last step that went out.
        var displaced = 0
        /// Whether a packet waits whose receipt the device gets when it has gone out.
        var isReceiptWaiting = false

        var isEmpty: Bool { up.isEmpty && down.isEmpty && !isTooLarge && expired == 0 && displaced == 0 }

        /// Adds what an operator should know. Almost always that is nothing, and costs nothing.
        func addNotes(to actions: inout [SessionAction]) {
            if expired > 0 { actions.append(.note(.messagesExpired(expired))) }
            if displaced > 0 { actions.append(.note(.messagesDisplaced(displaced))) }
        }
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
    let policy: HoldPolicy
    /// Bytes.
    var buffer: Int
    let dropsQoS0: Bool
    let share: HoldShare
    /// Whether the broker passes a message at QoS 2 on before it sends PUBREC, so that the message is not needed after
    /// that.
    let isPassedOnAtOnce: Bool

    /// Whether packets may go out now.
    var isOpen: Bool
    var up = PacketTable<UpFlow>()
    var sequence: UInt64 = 0
    var queue = WaitingPackets()
    /// How many messages at QoS 0 have made room for others, and were not told of yet.
    var displaced = 0
    /// The long PUBLISH that is coming in.
    var long: LongPublish?
    /// A long PUBLISH that came in to its end while its leg, which has its beginning, was suspended.
    var tail: LongPublish?
    /// Packets of the bridge's own that wait for the end of the long PUBLISH.
    var behindLong: [ByteBuffer] = []
    private(set) var pending = PendingAcknowledgements()
    /// Packet identifiers of the bridge's own packets, until they are answered.
    var own: Set<UInt16> = []
    /// How many messages in flight there was no room to keep.
    private(set) var unkept = 0
    /// Bytes charged for copies that may be given up, and the packet identifiers of those copies.
    private(set) var spareBytes = 0
    private(set) var spareIDs: Set<UInt16> = []
    var down = PacketTable<DownFlow>()
    /// The device's packet identifiers by the broker's, where they differ.
    var remapped: [UInt16: UInt16] = [:]
    /// Set after a return. Before that, the device itself keeps to the Receive Maximum.
    var window: Window?
    /// Whether the window only lasts until the broker has acknowledged a message of the bridge's own.
    var isWindowBrief = false
    /// Set after a return, if it is less than the device was told.
    var maximumPacketSize: Int?

    init(_ policy: HoldPolicy, version: MQTTVersion, isPassedOnAtOnce: Bool, isOpen: Bool) {
        self.version = version
        self.policy = policy
        self.isPassedOnAtOnce = isPassedOnAtOnce
        buffer = policy.configuration.buffer
        dropsQoS0 = policy.configuration.qos0 == .dropOldest
        share = HoldShare(policy.budget)
        self.isOpen = isOpen
    }

    /// Whether nothing is in flight.
    var isEmpty: Bool {
        up.isEmpty && queue.isEmpty && long == nil && tail == nil && pending.isEmpty && own.isEmpty && down.isEmpty
            && behindLong.isEmpty && window == nil && maximumPacketSize == nil
    }

    /// The same as ``isEmpty``. It is `mutating` because an element of an array is copied for any other call.
    mutating func isUnused() -> Bool { isEmpty }

    /// Begins again as a new ledger. Returns false if this ledger, which has no entry, is not like a new one.
    mutating func begin(isOpen: Bool) -> Bool {
        guard share.bytes == 0, unkept == 0, remapped.isEmpty, !isWindowBrief else { return false }
        self.isOpen = isOpen
        return true
    }

    /// Whether the leg has been given the beginning of a packet, but not its end.
    var isInsidePacket: Bool { tail != nil || long?.hasBegun == true }

    /// Whether everything could be repeated on another leg.
    var isHoldable: Bool { unkept == 0 && long?.isUnkept != true && tail?.isUnkept != true }

    /// Whether the broker, if it has lost the session, has also lost messages that are not kept here any more.
    var hasGivenUpCopies: Bool { up.values.contains { $0.isBetween && $0.hasMessage && $0.kept == nil } }

    /// Whether another packet of the device is accepted.
    ///
    /// What frees memory never waits for something that can't come in meanwhile: PUBACK and PUBREC of the broker free a
    /// message without the device's help. If these wait in the stream behind deliveries that the device has to answer
    /// first (`isDeliveryBlocked`), packets are passed on without being kept.
    func acceptsInput(isDeliveryBlocked: Bool) -> Bool {
        if let long, long.isReserved || long.isDropped || (isOpen && long.hasBegun) { return true }
        if !hasOwnRoom { return isOpen && isDeliveryBlocked && queue.isEmpty }
        if share.budget.isFull { return isOpen && (firmBytes == 0 || isDeliveryBlocked) && queue.isEmpty }
        return true
    }

    /// The same as ``acceptsInput(isDeliveryBlocked:)``, without copying the ledger.
    mutating func takesInput(isDeliveryBlocked: Bool) -> Bool {
        acceptsInput(isDeliveryBlocked: isDeliveryBlocked)
    }

    /// Bytes that are charged, without those of copies that may be given up.
    var firmBytes: Int { share.bytes - spareBytes }

    /// Whether the session has not used up the room that one may take.
    var hasOwnRoom: Bool { firmBytes < buffer }

    var hasRoom: Bool { hasOwnRoom && !share.budget.isFull }

    func hasRoom(for bytes: Int) -> Bool {
        firmBytes + bytes <= buffer && share.budget.hasRoom(for: bytes - spareBytes)
    }

    /// Whether a packet with that identifier may go out before everything else.
    func mayGo(_ packetID: UInt16, isPublish: Bool) -> Bool {
        isOpen && queue.isEmpty && long == nil && tail == nil && mayGoNext(packetID, isPublish: isPublish)
    }

    func mayGoNext(_ packetID: UInt16, isPublish: Bool) -> Bool {
        guard packetID != 0 else { return true }
        return !own.contains(packetID) && !(isPublish && window?.left == 0)
    }

    /// Keeps an acknowledgement of the device that can't go out on the leg now.
    mutating func keep(_ acknowledgement: PendingAcknowledgement) {
        if pending.add(acknowledgement) { charge(PendingAcknowledgements.cost) }
    }

    /// Takes the acknowledgements that waited: they are sent now, or are void because their leg is gone.
    @discardableResult
    mutating func takePending() -> [PendingAcknowledgement] {
        defer { pending = PendingAcknowledgements() }
        share.giveBack(pending.count * PendingAcknowledgements.cost)
        return pending.list
    }

    /// Sends a packet of the bridge's own, or an answer of the device.
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

    /// Gives up the copies of messages that the broker has received, if room is needed. They only matter if the broker
    /// loses the session, and then the session ends because they are gone (``hasGivenUpCopies``).
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
