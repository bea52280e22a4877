import MQTTCodec
import NIOCore

/// A device that has its CONNACK, whatever the mapping: what it asked for, what passes between it and the broker, and
/// what its session needs to outlive the uplink leg.
///
/// Its methods take an event and return actions, as a session's do. They never end the session themselves: they set
/// ``ending``, and the session acts on that.
struct ConnectedDevice: Sendable {
    let facts: DeviceFacts
    var router: PacketRouter
    /// `nil` if the device has a session of its own at the broker.
    var gateway: GatewayTerms?
    /// Packets on their way to the broker.
    var up = PacketStream()
    /// Packets on their way to the device.
    var down = PacketStream()
    /// `nil` if the session ends with its leg.
    var hold: Hold?
    // An array of one element works as a box: a session needs no room for its end before it comes.
    private var endings: [Ending] = []
    /// A second CONNECT is left to the broker. With rules of the operator it is refused, because it may bring another
    /// identity, or a will that no route has seen.
    var mayConnectAgain = false
    /// Whether the device sent CONNECT again. A CONNACK of the broker is the answer to that.
    var hasConnectedAgain = false
    /// Whether the device sent a DISCONNECT that the broker has to judge.
    var hasLeft = false
    /// Whether the last packet of the device is one for which a broker ends the session.
    var hasErred = false

    init(_ facts: DeviceFacts, _ router: PacketRouter, gateway: GatewayTerms? = nil) {
        self.facts = facts
        self.router = router
        self.gateway = gateway
    }

    /// Set once the session has to end.
    var ending: Ending? {
        get { endings.first }
        set { endings = newValue.map { [$0] } ?? [] }
    }

    /// Whether another packet of the device is accepted.
    var acceptsDeviceInput: Bool {
        !down.isFull && (hold?.journal.acceptsInput(isDeliveryBlocked: isDeliveryBlocked) ?? true)
    }

    /// If no packet of the device is accepted: whether only the room is missing that all held sessions share.
    var awaitsSharedRoom: Bool { !down.isFull && hold?.journal.hasOwnRoom == true }

    /// Whether another packet of the broker is accepted.
    var acceptsUplinkInput: Bool {
        // A long delivery that has begun is let in to its end. While nothing is read from the device, its missing
        // acknowledgements can't come, and what the broker says behind the delivery may be what the device waits for.
        !isDeliveryBlocked || down.isInsidePacket || !acceptsDeviceInput
    }

    /// The same as ``acceptsDeviceInput``, without copying what it looks at.
    mutating func takesDeviceInput() -> Bool {
        let isBlocked = isDeliveryBlocked
        return !down.isFull && (hold?.journal.takesInput(isDeliveryBlocked: isBlocked) ?? true)
    }

    /// The same as ``acceptsUplinkInput``, without copying what it looks at.
    mutating func takesUplinkInput() -> Bool {
        !isDeliveryBlocked || down.isInsidePacket || !takesDeviceInput()
    }

    /// Whether a delivery has to wait for the device's acknowledgement of an earlier one.
    private var isDeliveryBlocked: Bool { gateway?.window?.isFull == true }

    var isHeld: Bool { hold?.isHeld ?? false }

    /// Asks for an uplink leg.
    var openLeg: SessionAction {
        gateway == nil
            ? .openUplink(keepAlive: facts.keepAliveDuration) : .openDataStream(facts.version.onDataStream)
    }

    /// Makes the session end. The first reason counts.
    mutating func end(_ ending: Ending) -> [SessionAction] {
        self.ending = self.ending ?? ending
        return []
    }

    mutating func end(_ why: SessionEnd, reasonCode: ReasonCode? = nil) -> [SessionAction] {
        end(Ending(why, reasonCode: reasonCode))
    }

    /// Makes the session end because the device broke a rule of the operator or a limit of the broker.
    mutating func refuse(_ refusal: Refusal) -> [SessionAction] {
        end(.notAllowed(refusal.message), reasonCode: refusal.reasonCode)
    }

    /// A packet of the bridge's own for the device, which never lands inside one that is passing through in pieces. It is
    /// left out if it is longer than the device accepts [MQTT-3.1.2-24].
    mutating func toDevice(_ bytes: ByteBuffer) -> [SessionAction] {
        guard facts.takes(bytes.readableBytes), down.sendOrHold(bytes) else { return [] }
        return [.sendToDevice(bytes)]
    }

    /// A packet of the bridge's own for the broker, which never lands inside one that is passing through in pieces.
    mutating func toUplink(_ bytes: ByteBuffer) throws(MQTTError) -> [SessionAction] {
        guard hold == nil else { return try passUp(BufferList(bytes)) }
        return up.sendOrHold(bytes) ? [.sendToUplink(bytes)] : []
    }

    /// A packet of the device, or of the router in its name, in one buffer or two.
    mutating func passUp(_ packet: BufferList) throws(MQTTError) -> [SessionAction] {
        guard !packet.isEmpty, hold != nil else { return packet.map { .sendToUplink($0) } }
        var step = Ledger.Step()
        try hold?.journal.send(packet, &step)
        return try perform(step)
    }

    /// Sends what the journal has for either side.
    mutating func perform(_ step: Ledger.Step) throws(MQTTError) -> [SessionAction] {
        var actions = step.up.map { SessionAction.sendToUplink($0) }
        for packet in step.down { actions += try passDown(Frame(packet: packet, version: facts.version)) }
        step.addNotes(to: &actions)
        guard step.isTooLarge else { return actions }
        return actions
            + end(
                .notAllowed("a packet of the device is larger than the broker allows since the session resumed"),
                reasonCode: .packetTooLarge)
    }

    /// Answers PINGREQ in the broker's place.
    mutating func pong() -> [SessionAction] {
        guard down.takesPong(), let pong = try? Packet.pingresp.encode(version: facts.version) else { return [] }
        return toDevice(pong)
    }
}
