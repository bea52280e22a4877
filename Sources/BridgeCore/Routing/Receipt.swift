import MQTTCodec

/// What the device gets from the bridge itself for a message that a route lowers to QoS 0, because the broker
/// acknowledges no such message. It says that the message is on its way to the broker, so it is not due before that.
package struct Receipt: Sendable, Equatable {
    package let packetID: UInt16
    /// Whether it is a PUBREC, and not a PUBACK.
    let isExactlyOnce: Bool
    /// Whether the device has sent the message before (DUP), so that it may wait already.
    var isRepeated = false
    /// Whether the device's PUBREL has come, so that it gets PUBCOMP as well.
    var isReleased = false

    /// `nil` for a message without a packet identifier.
    init?(_ head: PublishHead) {
        guard let packetID = head.packetID else { return nil }
        self.init(packetID: packetID, isExactlyOnce: head.qos == .exactlyOnce, isRepeated: head.isDuplicate)
    }

    init(packetID: UInt16, isExactlyOnce: Bool, isRepeated: Bool = false, isReleased: Bool = false) {
        self.packetID = packetID
        self.isExactlyOnce = isExactlyOnce
        self.isRepeated = isRepeated
        self.isReleased = isReleased
    }
}
