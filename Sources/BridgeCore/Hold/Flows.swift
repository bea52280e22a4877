import MQTTCodec
import NIOCore

/// A message, SUBSCRIBE or UNSUBSCRIBE of the device that the broker has been sent and has not finished.
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
/// A broker may pass a message on when it comes, or when it is released (MQTT 5 4.3.3). Unless the broker is known to
/// do the former, the message is kept until PUBCOMP, and published again if the session is lost. What the device has
/// been told by then is not told again.
struct UpFlow: Sendable {
    enum Stage: Sendable {
        /// The packet is sent, and not acknowledged.
        case published
        /// The broker has sent PUBREC; a PUBREL follows.
        case received
        /// PUBREL has gone out, from the device (``UpFlow/isReleased``) or from the bridge; the broker's PUBCOMP
        /// follows.
        case releasing
        /// The broker's part is over; the bridge will answer the device's PUBREL.
        case completed
        /// A message that is further for the device than for the broker: it waits in the queue.
        case waiting
        case requested
    }

    /// The order in which packets were sent.
    var sequence: UInt64
    var stage: Stage
    /// The packet, to be sent again on another leg. From PUBREC on it is a copy in case the broker loses the session,
    /// and gives way if room is needed. `nil` if there was no room to keep the packet, or if it is in the queue.
    var kept: KeptPacket?
    /// False if the broker has passed the message on, and for a PUBREL whose message the device sent on an earlier
    /// connection of its own.
    var hasMessage = true
    /// Whether the PUBLISH went out on this leg, so that it takes a place in the window.
    var isCounted = false
    /// Whether the bridge has sent the PUBLISH before, on an earlier leg of a session that the broker still has.
    var isRepeated = false
    /// Whether the device has been sent PUBREC.
    var isReceiptTold = false
    /// Whether the device's PUBREL has come.
    var isReleased = false
    /// Whether PUBREL went out on this leg before the broker's PUBREC came, because the device did not wait for that.
    var isReleaseSent = false

    init(sequence: UInt64, stage: Stage, kept: KeptPacket? = nil) {
        self.sequence = sequence
        self.stage = stage
        self.kept = kept
    }

    /// Bytes that are charged for the flow and freed by the broker's answer. If only the device's own PUBREL takes the
    /// flow off the books, nothing is charged: that PUBREL would wait unread for the room that it frees.
    var firmCost: Int {
        switch stage {
        case .published, .requested: kept?.cost ?? 0
        case .releasing: isReleased ? KeptPacket.overhead : 0
        case .received, .completed, .waiting: 0
        }
    }

    /// Bytes that are charged for a copy that may be given up to make room.
    var spareCost: Int {
        switch stage {
        case .received: kept?.cost ?? 0
        case .releasing: kept.map { isReleased ? $0.length : $0.cost } ?? 0
        case .published, .requested, .completed, .waiting: 0
        }
    }

    /// Whether the flow could not be repeated after a loss.
    var isUnkept: Bool { (stage == .published || stage == .requested) && kept == nil }

    /// Whether the broker has received the message; it may or may not have passed it on.
    var isBetween: Bool { stage == .received || stage == .releasing }
}

/// A message of the broker at QoS 1 or 2 that the device has been given and has not finished, or has finished while the
/// broker does not know.
struct DownFlow: Sendable {
    enum Stage: Sendable {
        case delivered
        /// The device has sent PUBREC.
        case received
        /// The device has been sent PUBREL.
        case releasing
        /// The device has finished with PUBACK, or with a PUBREC that refuses; the broker has not been told.
        case answered(code: UInt8)
        /// The device has sent PUBCOMP; the broker has not been told.
        case completed
    }

    /// The broker's packet identifier. It differs from the device's if that one was in use.
    var brokerID: UInt16
    var isExactlyOnce: Bool
    var stage = Stage.delivered
    /// The message was delivered on an earlier leg, and on this one the broker has not come back to it yet. Only when
    /// it does, it is answered: a broker that had heard the answer already may have given the identifier to another
    /// message.
    var isOld = false
    /// Whether the broker does not know the message any more, so that the bridge plays the broker's part.
    var isOrphan = false

    /// Whether the device still has the packet identifier in use.
    var isOpen: Bool {
        switch stage {
        case .delivered, .received, .releasing: true
        case .answered, .completed: false
        }
    }
}

/// A packet of the device that waits for the leg.
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
    /// Whether the broker may have the packet, because it was sent on an earlier leg.
    var wasSent = false
    /// What the device gets once the packet has gone out, if a route has lowered it to QoS 0. To the device it is a message
    /// at QoS 1 or 2, so it makes no room for others.
    var receipt: Receipt?
}

/// A PUBLISH that comes in pieces.
struct LongPublish: Sendable {
    /// Bytes of the whole packet.
    let length: Int
    /// 0 at QoS 0.
    let packetID: UInt16
    /// The whole packet so far; `nil` if there was no room to keep it.
    var kept: KeptPacket?
    /// Pieces that the leg will be given when it answers, if the packet has begun on it.
    var waiting: [ByteBuffer] = []
    /// Bytes that are charged for the packet.
    var charged = 0
    /// Whether the packet's whole length is charged.
    var isReserved = false
    /// Whether the leg has been given the packet's beginning.
    var hasBegun = false
    /// What the device gets once the packet has gone out, if a route has lowered it to QoS 0.
    var receipt: Receipt?
    /// Whether the rest of the message is discarded: its leg was lost (QoS 0), or the broker has had it before, and the
    /// device repeats it (QoS 2).
    var isDropped = false

    /// Whether the packet could not be sent again after a loss.
    var isUnkept: Bool { hasBegun && kept == nil && (packetID != 0 || receipt != nil) }
}

/// An acknowledgement of the device that waits until the leg answers.
struct PendingAcknowledgement: Sendable {
    var type: PacketType
    var packetID: UInt16
    var code: UInt8
}
