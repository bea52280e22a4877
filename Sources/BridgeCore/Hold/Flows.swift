import MQTTCodec
import NIOCore

/// A message, SUBSCRIBE or UNSUBSCRIBE of the device that the broker has been sent and not finished.
///
/// ```
///              PUBREC            PUBREL             PUBCOMP
/// published ----------> received --------> releasing ------------> (none)
///   ^ |  PUBACK             |     of the       |  the device's PUBREL has not come
///   | v                     |     device, or   v
///   |(none)                 |     to open   completed --PUBREL: PUBCOMP--> (none)
///   |                       |     the window   |
///   |        the broker has lost the session   |
///   +------ waiting <-------+------------------+ (from releasing)
/// ```
/// A broker may pass a message on when it comes, or when it is released (MQTT 5 4.3.3). So where it is not known to do the
/// first, the message is kept until PUBCOMP, and published anew where the session is lost; what the device has been told by
/// then it is not told again.
struct UpFlow: Sendable {
    enum Stage: Sendable {
        /// Sent, and not acknowledged.
        case published
        /// The broker has said PUBREC; a PUBREL is awaited.
        case received
        /// PUBREL has gone out, of the device (``UpFlow/isReleased``) or of the bridge; the broker's PUBCOMP is awaited.
        case releasing
        /// The broker's part is over; the device's PUBREL will be answered by the bridge.
        case completed
        /// A message that the device knows to be further than the broker does: it waits in the queue.
        case waiting
        case requested
    }

    /// In which order they were sent.
    var sequence: UInt64
    var stage: Stage
    /// To be sent again on another leg. From PUBREC on it is a copy for a broker that loses the session, and makes room
    /// for what can't be done without. `nil`: there was no room to keep it, or it is in the queue.
    var kept: KeptPacket?
    /// False where the broker has passed the message on, and for a PUBREL whose message the device has sent on an earlier
    /// connection of its own.
    var hasMessage = true
    /// Its PUBLISH went out on this leg, and takes a place in the window.
    var isCounted = false
    /// The device has been told PUBREC.
    var isReceiptTold = false
    /// The device's PUBREL has come.
    var isReleased = false
    /// PUBREL has gone out on this leg before the broker's PUBREC came: the device did not wait for that.
    var isReleaseSent = false

    init(sequence: UInt64, stage: Stage, kept: KeptPacket? = nil) {
        self.sequence = sequence
        self.stage = stage
        self.kept = kept
    }

    /// Bytes that are charged for it and freed by the broker's answer. Where only the device's own PUBREL takes it off
    /// the books there are none: that would wait unread for what it frees.
    var firmCost: Int {
        switch stage {
        case .published, .requested: kept?.cost ?? 0
        case .releasing: isReleased ? KeptPacket.overhead : 0
        case .received, .completed, .waiting: 0
        }
    }

    /// Bytes that are charged for a copy that may go to make room.
    var spareCost: Int {
        switch stage {
        case .received: kept?.cost ?? 0
        case .releasing: kept.map { isReleased ? $0.length : $0.cost } ?? 0
        case .published, .requested, .completed, .waiting: 0
        }
    }

    /// On loss it could not be done again.
    var isUnkept: Bool { stage == .published && kept == nil }

    /// The broker has taken it, and may or may not have passed it on.
    var isBetween: Bool { stage == .received || stage == .releasing }
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
