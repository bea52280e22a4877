import MQTTCodec
import NIOCore

/// Rewrites the topics of one session in both directions, and keeps what that needs.
///
/// Every frame of the device goes through `fromDevice`, every frame of the broker through `fromBroker`, in order. A frame
/// that no rule touches comes out as the slice that went in. Where there are no routes nothing is parsed at all, and where
/// there are, a packet is read leniently if the broker is to judge it: only what a route has to know of it must be there.
///
/// Acknowledgements keep their packet ids: a message either goes on under the id its sender gave it, or is answered here.
/// What is kept for that is bounded by the 65 535 packet ids, the topic aliases that the receiver allows and the bounds
/// of `PendingFilters` and `TopicAliases`.
package struct PacketRouter: Sendable {
    /// What becomes of a packet.
    package struct Routed: Sendable, Equatable {
        /// To the other side, in this order.
        package var forward: [ByteBuffer]
        /// Back to the sender, in this order.
        package var reply: [ByteBuffer]
        /// The session ends, after what `reply` and `forward` hold. From `fromBroker`: the broker broke the protocol.
        package var close: Refusal?

        package init(forward: [ByteBuffer] = [], reply: [ByteBuffer] = [], close: Refusal? = nil) {
            self.forward = forward
            self.reply = reply
            self.close = close
        }
    }

    /// What becomes of a PUBLISH whose payload is still coming.
    package struct RoutedStream: Sendable, Equatable {
        /// To the other side, the payload behind it. `nil`: the payload is thrown away as it comes.
        package var head: ByteBuffer?
        /// Back to the sender once the payload has come to its end.
        package var reply: [ByteBuffer]
        /// The session ends, without waiting for the payload.
        package var close: Refusal?

        package init(head: ByteBuffer? = nil, reply: [ByteBuffer] = [], close: Refusal? = nil) {
            self.head = head
            self.reply = reply
            self.close = close
        }
    }

    /// A message of the device that went on at QoS 1 while the device is served its QoS 2 flow.
    enum CappedFlow: Sendable {
        /// The broker's PUBACK will become the device's PUBREC.
        case awaitingAcknowledgement
        /// The device has its PUBREC; its PUBREL is answered here.
        case awaitingRelease
    }

    /// Remote filters that one SUBSCRIBE or UNSUBSCRIBE may become; beyond it the packet is refused. It takes filters
    /// that span many routes, many times, to get there.
    package static let maximumRemoteFilters = 4_096

    let routes: ResolvedRoutes
    let version: MQTTVersion
    /// Whether the broker judges the packets of the device, or the bridge.
    let isLenient: Bool
    package internal(set) var counters = RoutingCounters()

    var upAliases = TopicAliases()
    var downAliases = TopicAliases()
    var pendingSubscribes = PendingFilters()
    var pendingUnsubscribes = PendingFilters()
    /// QoS 2 messages of the device that were answered here, until their PUBREL.
    var answeredUp: Set<UInt16> = []
    /// QoS 2 messages of the broker that were answered here, until their PUBREL.
    var answeredDown: Set<UInt16> = []
    var cappedUp: [UInt16: CappedFlow] = [:]
    /// Bytes of a packet that the device takes, as its CONNECT says; `nil` is no limit.
    var deviceMaximumPacketSize: UInt32?

    package init(routes: ResolvedRoutes, version: MQTTVersion, isLenient: Bool = false) {
        self.isLenient = isLenient
        self.routes = routes
        self.version = version
    }

    /// Topic Alias Maximum of the device's CONNECT: the highest alias that the broker may use. `rewriteConnect` sets it;
    /// 0 until then, which is none [MQTT-3.1.2-26].
    package var deviceAliasMaximum: UInt16 {
        get { downAliases.maximum }
        set { downAliases.maximum = newValue }
    }

    /// Topic Alias Maximum of the CONNACK that the device was sent: the highest alias that the device may use. 0, which
    /// is none, until the owner sets it [MQTT-3.2.2-17].
    package var brokerAliasMaximum: UInt16 {
        get { upAliases.maximum }
        set { upAliases.maximum = newValue }
    }

    /// There are no routes.
    package var passesEverything: Bool { routes.isEmpty }

    /// Throws where a route needs what can't be read in the packet.
    package mutating func fromDevice(_ frame: Frame) throws(MQTTError) -> Routed {
        guard !routes.isEmpty else {
            return Routed(forward: [frame.bytes])
        }
        switch frame.type {
        case .publish:
            return try publishFromDevice(frame)
        case .subscribe:
            return try routeFilters(of: Subscribe.decode(frame, version: version, isLenient: isLenient), in: frame)
        case .unsubscribe:
            return try routeFilters(of: Unsubscribe.decode(frame, version: version, isLenient: isLenient), in: frame)
        case .pubrel:
            return try releaseFromDevice(frame)
        case .connect, .connack, .puback, .pubrec, .pubcomp, .suback, .unsuback, .pingreq, .pingresp, .disconnect,
            .auth:
            return Routed(forward: [frame.bytes])
        }
    }

    /// Throws where the packet is malformed, or answers something else than what the broker was sent.
    package mutating func fromBroker(_ frame: Frame) throws(MQTTError) -> Routed {
        guard !routes.isEmpty else {
            return Routed(forward: [frame.bytes])
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
            return Routed(forward: [frame.bytes])
        }
    }
}
