import MQTTCodec
import NIOCore

/// Rewrites the topics of one session in both directions, and keeps the state that this needs.
///
/// Every frame of the device goes through `fromDevice`, and every frame of the broker through `fromBroker`, in order. A
/// frame that no route changes comes out as the slice that went in. Without routes nothing is parsed at all. With routes,
/// a packet that the broker will judge is read leniently: only what a route needs to know has to be readable.
///
/// Packet identifiers never change: a message is forwarded with the identifier that its sender chose, or answered here.
/// The state is bounded by the 65,535 packet identifiers, the topic aliases that the receiver allows and the bounds of
/// `PendingFilters`, `StandingFilters` and `TopicAliases`.
package struct PacketRouter: Sendable {
    /// What happens to a packet.
    package struct Routed: Sendable, Equatable {
        /// The bytes to send to the other side, in this order.
        package var forward: BufferList
        /// The packets to send back to the sender, in this order.
        package var reply: [ByteBuffer]
        /// Set if `reply` is due only once a message has gone out to the broker: `forward`, or an earlier one of the same
        /// packet identifier.
        package var receipt: Receipt?
        /// Why the session has to end once `reply` and `forward` are sent. From `fromBroker` it means that the broker
        /// broke the protocol.
        package var close: Refusal?

        package init(
            forward: BufferList = BufferList(), reply: [ByteBuffer] = [], receipt: Receipt? = nil, close: Refusal? = nil
        ) {
            self.forward = forward
            self.reply = reply
            self.receipt = receipt
            self.close = close
        }
    }

    /// What happens to a PUBLISH whose payload is still to come.
    package struct RoutedStream: Sendable, Equatable {
        /// The bytes to send to the other side before the payload; `nil` if the payload is discarded as it comes.
        package var head: ByteBuffer?
        /// The packets to send back to the sender at the end of the payload.
        package var reply: [ByteBuffer]
        /// Set if `reply` is due only once a message has gone out to the broker, as in ``Routed``.
        package var receipt: Receipt?
        /// Why the session has to end, without waiting for the payload.
        package var close: Refusal?

        package init(
            head: ByteBuffer? = nil, reply: [ByteBuffer] = [], receipt: Receipt? = nil, close: Refusal? = nil
        ) {
            self.head = head
            self.reply = reply
            self.receipt = receipt
            self.close = close
        }
    }

    /// A message that the device sent at QoS 2 and the bridge forwarded at QoS 1.
    enum CappedFlow: Sendable {
        /// The broker's PUBACK will become a PUBREC for the device.
        case awaitingAcknowledgement
        /// The device has its PUBREC. The bridge will answer its PUBREL.
        case awaitingRelease
    }

    /// How many remote filters one SUBSCRIBE or UNSUBSCRIBE may become before it is refused. Only many filters across
    /// many routes reach this limit.
    package static let maximumRemoteFilters = 4_096

    let routes: ResolvedRoutes
    /// What the operator should know about the topics of this session.
    var notices = PlatformNotices()
    let version: MQTTVersion
    /// Whether the broker judges the device's packets. If not, the bridge does.
    let isLenient: Bool
    /// How many messages and filters the routes have kept back.
    package internal(set) var counters = RoutingCounters()

    var upAliases = TopicAliases()
    var downAliases = TopicAliases()
    var pendingSubscribes = PendingFilters()
    var pendingUnsubscribes = PendingFilters()
    /// What the device is subscribed to, where routes map topics.
    var standing = StandingFilters()
    /// Packet identifiers of the device's QoS 2 messages that the bridge answered, until their PUBREL.
    var answeredUp: Set<UInt16> = []
    /// Packet identifiers of the broker's QoS 2 messages that the bridge answered, until their PUBREL.
    var answeredDown: Set<UInt16> = []
    var cappedUp: [UInt16: CappedFlow] = [:]
    /// The longest packet that the device accepts according to its CONNECT, in bytes; `nil` if it sets no limit.
    var deviceMaximumPacketSize: UInt32?

    package init(routes: ResolvedRoutes, version: MQTTVersion, isLenient: Bool = false) {
        self.isLenient = isLenient
        self.routes = routes
        self.version = version
    }

    /// The Topic Alias Maximum of the device's CONNECT: the highest alias that the broker may use. It is 0, which allows
    /// none, until `rewriteConnect` sets it [MQTT-3.1.2-26].
    package var deviceAliasMaximum: UInt16 {
        get { downAliases.maximum }
        set { downAliases.maximum = newValue }
    }

    /// The Topic Alias Maximum of the CONNACK that the device was sent: the highest alias that the device may use. It is
    /// 0, which allows none, until the owner sets it [MQTT-3.2.2-17].
    package var brokerAliasMaximum: UInt16 {
        get { upAliases.maximum }
        set { upAliases.maximum = newValue }
    }

    /// Whether every packet passes unchanged and unread.
    package var passesEverything: Bool { routes.isEmpty }

    /// Routes a packet of the device. Throws if a part of the packet that the routes need cannot be read.
    package mutating func fromDevice(_ frame: Frame) throws(MQTTError) -> Routed {
        guard !routes.isEmpty else {
            return Routed(forward: BufferList(frame.bytes))
        }
        switch frame.type {
        case .publish:
            return try publishFromDevice(frame)
        case .subscribe:
            return try routeFilters(frame)
        case .unsubscribe:
            guard routes.mapsTopics else { return Routed(forward: BufferList(frame.bytes)) }
            return try routeFilters(frame)
        case .pubrel:
            return try releaseFromDevice(frame)
        case .connect, .connack, .puback, .pubrec, .pubcomp, .suback, .unsuback, .pingreq, .pingresp, .disconnect,
            .auth:
            return Routed(forward: BufferList(frame.bytes))
        }
    }

    private mutating func routeFilters(_ frame: Frame) throws(MQTTError) -> Routed {
        frame.type == .subscribe
            ? try routeFilters(of: Subscribe.decode(frame, version: version, isLenient: isLenient), in: frame)
            : try routeFilters(of: Unsubscribe.decode(frame, version: version, isLenient: isLenient), in: frame)
    }

    /// Routes a packet of the broker. Throws if the packet is malformed, or does not fit the request that it answers.
    package mutating func fromBroker(_ frame: Frame) throws(MQTTError) -> Routed {
        // Without routes only answers are changed, to requests of which the platform's rules kept filters back.
        guard routes.mapsTopics || (frame.type == .suback && !pendingSubscribes.isEmpty) else {
            return Routed(forward: BufferList(frame.bytes))
        }
        switch frame.type {
        case .publish:
            return try publishFromBroker(frame)
        case .suback:
            return try routeAnswer(to: Subscribe.self, in: frame)
        case .unsuback:
            return try routeAnswer(to: Unsubscribe.self, in: frame)
        case .puback:
            return try acknowledgeFromBroker(frame)
        case .pubrel:
            return try releaseFromBroker(frame)
        case .connect, .connack, .pubrec, .pubcomp, .subscribe, .unsubscribe, .pingreq, .pingresp, .disconnect, .auth:
            return Routed(forward: BufferList(frame.bytes))
        }
    }
}
