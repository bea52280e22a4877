import MQTTCodec
import NIOCore

/// A message, SUBSCRIBE or UNSUBSCRIBE of the device that the broker has been sent and not finished.
///
/// ```
///              PUBREC            PUBREL            PUBCOMP
/// published ----------> received --------> released --------> (none)
///     |  PUBACK             |                  ^
///     v                     | the window must  | PUBREL
///   (none)                  | open             |
///                           +-----------> releasedHere --PUBCOMP--> completed --PUBREL: PUBCOMP--> (none)
/// ```
struct UpFlow: Sendable {
    enum Stage: Sendable {
        /// `nil`: there was no room to keep it.
        case published(KeptPacket?)
        /// The broker has the message (PUBREC); the device's PUBREL is awaited.
        case received
        /// The device has sent PUBREL.
        case released
        /// The bridge has sent PUBREL; the device will.
        case releasedHere
        /// The broker's part is over; the device's PUBREL will be answered by the bridge.
        case completed
        case requested(KeptPacket)
    }

    /// In which order they were sent.
    var sequence: UInt64
    var stage: Stage
    /// Its PUBLISH went out on this leg, and takes a place in the window.
    var isCounted = false

    var kept: KeptPacket? {
        switch stage {
        case .published(let packet): packet
        case .requested(let packet): packet
        case .received, .released, .releasedHere, .completed: nil
        }
    }

    /// Bytes that are charged for it. Where only the device's own PUBREL takes it off the books there are none: that
    /// would wait unread for what it frees.
    var cost: Int {
        switch stage {
        case .published(let packet): packet?.cost ?? 0
        case .requested(let packet): packet.cost
        case .released: KeptPacket.overhead
        case .received, .releasedHere, .completed: 0
        }
    }

    /// On loss it could not be done again.
    var isUnkept: Bool {
        if case .published(nil) = stage { true } else { false }
    }
}

/// A message of the broker at QoS 1 or 2 that the device has been given and not finished, or has finished without the
/// broker's knowing.
struct DownFlow: Sendable {
    enum Stage: Sendable {
        case delivered
        /// The device has sent PUBREC.
        case received
        /// The device has been sent PUBREL.
        case releasing
        /// The device is done with it, by PUBACK or a PUBREC that refuses; the broker has not been told.
        case answered(code: UInt8)
        /// The device has sent PUBCOMP; the broker has not been told.
        case completed
    }

    /// The broker's packet identifier: another than the device's where that one was in use.
    var brokerID: UInt16
    var isExactlyOnce: Bool
    var stage = Stage.delivered
    /// It was delivered on an earlier leg, and on this one the broker has not come back to it yet. Only then is it
    /// answered: a broker that had heard the answer already may have given the identifier to another message.
    var isOld = false
    /// The broker does not know it any more: the bridge plays its part.
    var isOrphan = false

    /// Whether the device still has the packet identifier in use.
    var isOpen: Bool {
        switch stage {
        case .delivered, .received, .releasing: true
        case .answered, .completed: false
        }
    }
}

/// Something of the device that waits for the leg.
struct Outgoing: Sendable {
    enum Kind: Sendable {
        case atMostOnce
        case publish
        /// SUBSCRIBE or UNSUBSCRIBE.
        case request
    }

    var kind: Kind
    /// 0 at QoS 0.
    var packetID: UInt16
    var packet: KeptPacket
    /// The broker may have it: it was sent on an earlier leg.
    var wasSent = false
}

/// A PUBLISH that comes in pieces.
struct LongPublish: Sendable {
    /// Bytes of the whole packet.
    let length: Int
    /// 0 at QoS 0.
    let packetID: UInt16
    /// All of it so far; `nil` where there was no room to keep it.
    var kept: KeptPacket?
    /// Pieces that the leg will be given when it answers, where the packet has begun on it.
    var waiting: [ByteBuffer] = []
    /// Bytes that are charged for it.
    var charged = 0
    /// All of its length is charged.
    var isReserved = false
    /// The leg has been given its beginning.
    var hasBegun = false
    /// At QoS 0, when its leg was lost: what follows is thrown away.
    var isDropped = false

    /// On loss it could not be sent again.
    var isUnkept: Bool { hasBegun && kept == nil && packetID != 0 }
}

/// An acknowledgement of the device that waits until the leg answers.
struct PendingAcknowledgement: Sendable {
    var type: PacketType
    var packetID: UInt16
    var code: UInt8
}
