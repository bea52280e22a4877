import MQTTCodec
import NIOCore

extension PacketRouter {
    /// What the routes make of a topic.
    enum TopicFate: Equatable {
        /// The message goes to the other side. `topic` is `nil` if the topic stays as it is: no route changes it, or an
        /// alias that the receiver knows stands for it. `routeIndex` is `nil` if no route matched.
        case forwarded(topic: String?, routeIndex: Int?)
        case dropped
        case refused(ReasonCode)
        /// The broker would disconnect the device for it.
        case denied(PlatformFinding)
    }

    /// What happens to a PUBLISH, whether its payload is here or still to come.
    struct PublishDecision: Equatable {
        enum Forwarding: Equatable {
            case nothing
            /// The bytes are passed on as they came in.
            case unchanged
            case rewritten(PublishHead)
        }

        var forwarding: Forwarding
        var reply: [ByteBuffer] = []
        /// Set if `reply` is due only once a message has gone out.
        var receipt: Receipt?
        var close: Refusal?

        static func closing(_ reasonCode: ReasonCode, _ message: String) -> Self {
            Self(forwarding: .nothing, close: Refusal(reasonCode: reasonCode, message: message))
        }
    }

    mutating func publishFromDevice(_ frame: Frame) throws(MQTTError) -> Routed {
        let (head, payload) = try PublishHead.decode(frame, version: version, isLenient: isLenient)
        return try routed(decideUp(head), frame: frame, payload: payload)
    }

    mutating func publishFromBroker(_ frame: Frame) throws(MQTTError) -> Routed {
        let head: PublishHead
        let payload: ByteBuffer
        do {
            (head, payload) = try PublishHead.decode(frame, version: version, isLenient: isLenient)
        } catch {
            guard isLenient else { throw error }
            return try swallowUnread(frame.bytes)
        }
        let aliases = deviceMaximumPacketSize == nil ? nil : downAliases
        let routed = try routed(decideDown(head), frame: frame, payload: payload)
        guard let aliases, isTooLong(routed.forward.byteCount, original: frame.bytes.readableBytes)
        else { return routed }
        return Routed(reply: routed.reply + (try swallowTooLong(head, aliases).reply))
    }

    /// Whether a route has made a packet longer than the device accepts [MQTT-3.1.2-24].
    private func isTooLong(_ length: Int, original: Int) -> Bool {
        length > deviceMaximumPacketSize ?? .max && length != original
    }

    /// Acknowledges a message that is too long for the device as if it had been delivered [MQTT-3.1.2-25]. The device
    /// has not learned the topic alias in it.
    ///
    /// - Parameter aliases: The aliases before the message was routed.
    private mutating func swallowTooLong(
        _ head: PublishHead, _ aliases: TopicAliases
    ) throws(MQTTError) -> PublishDecision {
        downAliases = aliases
        if let fate = try? Self.fate(of: head, aliases: aliases, byTopic: { localFate(of: $0) }) {
            Self.remember(fate, of: head, isForwarded: false, in: &downAliases)
        }
        return try swallow(head)
    }

    /// Acknowledges a message that cannot be read, and for which no route can be found. What another device has
    /// published is not the broker's fault.
    private mutating func swallowUnread(_ start: ByteBuffer) throws(MQTTError) -> Routed {
        let glance = PublishGlance(start, version: version)
        let head = PublishHead(qos: glance?.qos ?? .atMostOnce, topic: "", packetID: glance?.packetID)
        return Routed(reply: try swallow(head).reply)
    }

    /// Routes a long PUBLISH of the device by its head alone.
    package mutating func fromDevice(_ begin: StreamedPublish) throws(MQTTError) -> RoutedStream {
        guard !routes.isEmpty else {
            return RoutedStream(head: begin.head)
        }
        return try routed(decideUp(begin.publish), begin: begin)
    }

    /// Routes a long PUBLISH of the broker by its head alone.
    package mutating func fromBroker(_ begin: StreamedPublish) throws(MQTTError) -> RoutedStream {
        guard routes.mapsTopics else {
            return RoutedStream(head: begin.head)
        }
        let aliases = deviceMaximumPacketSize == nil ? nil : downAliases
        let routed = try routed(decideDown(begin.publish), begin: begin)
        let original = begin.head.readableBytes + begin.payloadLength
        guard let aliases, let head = routed.head,
            isTooLong(head.readableBytes + begin.payloadLength, original: original)
        else { return routed }
        return RoutedStream(reply: routed.reply + (try swallowTooLong(begin.publish, aliases).reply))
    }

    /// Routes a long PUBLISH of the broker whose head cannot be read.
    package mutating func fromBroker(_ unread: UnreadPublish) throws(MQTTError) -> RoutedStream {
        guard routes.mapsTopics else { return RoutedStream(head: unread.start) }
        return RoutedStream(reply: try swallowUnread(unread.start).reply)
    }

    /// The answer to a message that is not forwarded. QoS 0 has none.
    func acknowledging(
        _ head: PublishHead, _ reasonCode: ReasonCode = .success
    ) throws(MQTTError) -> PublishDecision {
        guard let packetID = head.packetID else { return PublishDecision(forwarding: .nothing) }
        let type: PacketType = head.qos == .exactlyOnce ? .pubrec : .puback
        return PublishDecision(forwarding: .nothing, reply: [try acknowledgement(type, packetID, reasonCode)])
    }

    func acknowledgement(
        _ type: PacketType, _ packetID: UInt16, _ reasonCode: ReasonCode = .success
    ) throws(MQTTError) -> ByteBuffer {
        try PublishAck(packetID: packetID, reasonCode: reasonCode.rawValue).encode(as: type, version: version)
    }

    private func routed(
        _ decision: PublishDecision, frame: Frame, payload: ByteBuffer
    ) throws(MQTTError) -> Routed {
        var result = Routed(reply: decision.reply, receipt: decision.receipt, close: decision.close)
        switch decision.forwarding {
        case .nothing:
            break
        case .unchanged:
            result.forward = BufferList(frame.bytes)
        case .rewritten(let head):
            result.forward = BufferList(
                try head.encode(version: version, payloadLength: payload.readableBytes),
                payload.readableBytes > 0 ? payload : nil)
        }
        return result
    }

    private func routed(_ decision: PublishDecision, begin: StreamedPublish) throws(MQTTError) -> RoutedStream {
        var result = RoutedStream(reply: decision.reply, receipt: decision.receipt, close: decision.close)
        switch decision.forwarding {
        case .nothing:
            break
        case .unchanged:
            result.head = begin.head
        case .rewritten(let head):
            result.head = try head.encode(version: version, payloadLength: begin.payloadLength)
        }
        return result
    }
}

extension PacketRouter {
    /// What the routes make of the topic of a PUBLISH, or of the topic that its alias stands for. Throws if the alias is
    /// not allowed or was never set.
    static func fate(
        of head: PublishHead, aliases: TopicAliases, byTopic: (String) -> TopicFate
    ) throws(Refusal) -> TopicFate {
        guard let alias = head.properties.topicAlias else {
            return byTopic(head.topic)
        }
        guard aliases.isAllowed(alias) else {
            let allowed = aliases.maximum == 0 ? "none is" : "only 1 to \(aliases.maximum) are"
            throw Refusal(
                reasonCode: .topicAliasInvalid,
                message: "PUBLISH has the topic alias \(alias), but \(allowed) allowed"
                    + " ([MQTT-3.3.2-8], [MQTT-3.3.2-9])")
        }
        guard head.topic.utf8.isEmpty else {
            return byTopic(head.topic)
        }
        switch aliases[alias] {
        case .known(let routeIndex)?:
            return .forwarded(topic: nil, routeIndex: routeIndex)
        case .held(let topic, let routeIndex)?:
            return .forwarded(topic: topic, routeIndex: routeIndex)
        case .dropped?:
            return .dropped
        case .refused?:
            return .refused(.notAuthorized)
        case .denied(let finding)?:
            return .denied(finding)
        case nil:
            throw Refusal(
                reasonCode: .protocolError,
                message: "PUBLISH has no topic, and its topic alias \(alias) was never set (MQTT 5 3.3.2.3.4)")
        }
    }

    /// Keeps the fate of the topic for later messages that have only its alias.
    static func remember(
        _ fate: TopicFate, of head: PublishHead, isForwarded: Bool, in aliases: inout TopicAliases
    ) {
        guard let alias = head.properties.topicAlias else {
            return
        }
        switch fate {
        case .forwarded(let topic, let routeIndex):
            if isForwarded {
                aliases.set(alias, to: .known(routeIndex: routeIndex))
            } else if topic != nil || !head.topic.utf8.isEmpty {
                aliases.set(alias, to: .held(topic: topic ?? head.topic, routeIndex: routeIndex))
            }
        case .dropped:
            aliases.set(alias, to: .dropped)
        case .refused:
            aliases.set(alias, to: .refused)
        case .denied(let finding):
            aliases.set(alias, to: .denied(finding))
        }
    }
}
