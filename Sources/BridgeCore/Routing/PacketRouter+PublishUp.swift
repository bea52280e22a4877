import MQTTCodec
import NIOCore

/// Routes messages of the device.
extension PacketRouter {
    mutating func decideUp(_ head: PublishHead) throws(MQTTError) -> PublishDecision {
        // A strict reader has checked them already.
        if isLenient { try head.checkTopics(version) }
        var fate: TopicFate
        do {
            fate = try Self.fate(of: head, aliases: upAliases) { remoteFate(of: $0) }
        } catch {
            return PublishDecision(forwarding: .nothing, close: error)
        }
        fate = judged(fate, of: head.topic)
        let decision: PublishDecision
        if let answer = try repeatedAnswer(to: head) {
            decision = answer
        } else {
            switch fate {
            case .forwarded(let topic, let routeIndex):
                decision = try forwardUp(head, topic: topic, routeIndex: routeIndex)
                if decision.forwarding != .nothing { routes.tally?.passed(.up, by: routeIndex) }
            case .dropped:
                counters.droppedUp += 1
                routes.tally?.count(.up, .dropped)
                decision = try acknowledgeUp(head)
            case .refused(let reason):
                decision = try refuseUp(head, reason: reason)
            case .denied:
                decision = try denyUp(head)
            }
        }
        Self.remember(fate, of: head, isForwarded: decision.forwarding != .nothing, in: &upAliases)
        return decision
    }

    /// PUBREL ends a flow that the bridge answered. Any other PUBREL goes to the broker.
    mutating func releaseFromDevice(_ frame: Frame) throws(MQTTError) -> Routed {
        guard let packetID = frame.leadingPacketID else {
            return Routed(forward: BufferList(frame.bytes))
        }
        if answeredUp.remove(packetID) != nil {
            return Routed(
                reply: [try acknowledgement(.pubcomp, packetID)],
                receipt: Receipt(packetID: packetID, isExactlyOnce: true, isReleased: true))
        }
        if cappedUp[packetID] == .awaitingRelease {
            cappedUp[packetID] = nil
            return Routed(reply: [try acknowledgement(.pubcomp, packetID)])
        }
        return Routed(forward: BufferList(frame.bytes))
    }

    /// A PUBACK for a message that the device sent at QoS 2 becomes a PUBREC with the same reason. An error ends the
    /// flow (MQTT 5 4.3.3). Any other PUBACK goes to the device.
    mutating func acknowledgeFromBroker(_ frame: Frame) throws(MQTTError) -> Routed {
        guard let packetID = frame.leadingPacketID, cappedUp[packetID] == .awaitingAcknowledgement else {
            return Routed(forward: BufferList(frame.bytes))
        }
        let acknowledgement = try PublishAck.decode(frame, version: version)
        let isError = ReasonCode(rawValue: acknowledgement.reasonCode).isError
        cappedUp[packetID] = isError ? nil : .awaitingRelease
        let bytes = try acknowledgement.encode(as: .pubrec, version: version)
        guard bytes.readableBytes > deviceMaximumPacketSize ?? .max else { return Routed(forward: BufferList(bytes)) }
        let short = PublishAck(packetID: packetID, reasonCode: acknowledgement.reasonCode)
        return Routed(forward: [try short.encode(as: .pubrec, version: version)])
    }

    func remoteFate(of topic: String) -> TopicFate {
        guard let mapped = routes.remoteTopic(for: topic) else {
            switch routes.unrouted {
            case .pass: return .forwarded(topic: nil, routeIndex: nil)
            case .drop: return .dropped
            case .reject: return .refused(.notAuthorized)
            }
        }
        guard mapped.topic.utf8.count <= TopicPattern.maximumLength else {
            return .refused(.topicNameInvalid)
        }
        return .forwarded(topic: mapped.topic, routeIndex: mapped.routeIndex)
    }

    /// Routes the Response Topic of a message or a will (MQTT 5 3.3.2.3.5).
    func routeResponseTopicUp(in properties: inout Properties) -> ResponseTopicChange {
        guard let topic = properties.responseTopic else {
            return .unchanged
        }
        if let mapped = routes.remoteResponseTopic(for: topic) {
            guard mapped.utf8.count <= TopicPattern.maximumLength else {
                return .refused(.topicNameInvalid)
            }
            if mapped.hasSameBytes(as: topic) {
                return .unchanged
            }
            properties.responseTopic = mapped
            return .changed
        }
        switch routes.unrouted {
        case .pass:
            return .unchanged
        case .drop:
            properties.responseTopic = nil
            return .changed
        case .reject:
            return .refused(.notAuthorized)
        }
    }

    enum ResponseTopicChange: Equatable {
        case unchanged, changed
        case refused(ReasonCode)
    }

    private mutating func forwardUp(
        _ original: PublishHead, topic: String?, routeIndex: Int?
    ) throws(MQTTError) -> PublishDecision {
        var head = original
        var isChanged = head.replaceTopic(with: topic)
        switch routeResponseTopicUp(in: &head.properties) {
        case .unchanged: break
        case .changed: isChanged = true
        case .refused(let reason): return try refuseUp(original, reason: reason, isResponseTopic: true)
        }
        var decision = PublishDecision(forwarding: .nothing)
        if let route = routes.route(at: routeIndex) {
            if route.stripsRetain, head.retain {
                head.retain = false
                isChanged = true
            }
            if head.qos > route.qosCap {
                decision = try lower(&head, to: route.qosCap)
                isChanged = true
            }
        }
        decision.forwarding = isChanged ? .rewritten(head) : .unchanged
        return decision
    }

    /// Lowers the QoS. The device still gets the acknowledgements of the QoS that it chose: from the bridge, once the
    /// message has gone out, if the broker acknowledges none.
    private mutating func lower(_ head: inout PublishHead, to qos: QoS) throws(MQTTError) -> PublishDecision {
        var answer = PublishDecision(forwarding: .nothing)
        if qos == .atMostOnce {
            answer = try acknowledgeUp(head)
            answer.receipt = Receipt(head)
            head.packetID = nil
            head.isDuplicate = false  // [MQTT-3.3.1-2]
        } else if let packetID = head.packetID {
            cappedUp[packetID] = .awaitingAcknowledgement
        }
        head.qos = qos
        return answer
    }

    /// The PUBREC for a repeated QoS 2 message that the bridge has already answered. The message is not forwarded again
    /// [MQTT-4.3.3-10].
    private func repeatedAnswer(to head: PublishHead) throws(MQTTError) -> PublishDecision? {
        guard head.qos == .exactlyOnce, let packetID = head.packetID else { return nil }
        let isAnswered = answeredUp.contains(packetID)
        guard isAnswered || cappedUp[packetID] == .awaitingRelease else { return nil }
        return PublishDecision(
            forwarding: .nothing, reply: [try acknowledgement(.pubrec, packetID)],
            receipt: isAnswered ? Receipt(head) : nil)
    }

    private mutating func acknowledgeUp(_ head: PublishHead) throws(MQTTError) -> PublishDecision {
        if head.qos == .exactlyOnce, let packetID = head.packetID { answeredUp.insert(packetID) }
        return try acknowledging(head)
    }

    private mutating func refuseUp(
        _ head: PublishHead, reason: ReasonCode, isResponseTopic: Bool = false
    ) throws(MQTTError) -> PublishDecision {
        counters.rejectedUp += 1
        routes.tally?.count(.up, .rejected)
        guard version.hasProperties, head.packetID != nil else {
            return .closing(reason, Self.message(for: head, reason: reason, isResponseTopic: isResponseTopic))
        }
        return try acknowledging(head, reason)
    }

    /// Keeps back a message for which the broker would disconnect the device. A device that cannot be told is answered as
    /// if the broker had taken it: that is what 3.1.1 leaves besides closing the connection ([MQTT-3.3.5-2]).
    private mutating func denyUp(_ head: PublishHead) throws(MQTTError) -> PublishDecision {
        guard version.hasProperties, head.packetID != nil else {
            counters.droppedUp += 1
            return try acknowledgeUp(head)
        }
        counters.rejectedUp += 1
        return try acknowledging(head, .notAuthorized)
    }

    private static func message(for head: PublishHead, reason: ReasonCode, isResponseTopic: Bool) -> String {
        let topic = isResponseTopic ? head.properties.responseTopic ?? "" : head.topic
        return message(
            for: isResponseTopic ? "the response topic" : "the topic of a PUBLISH", topic: topic, reason: reason)
    }

    static func message(for subject: String, topic: String, reason: ReasonCode) -> String {
        reason == .topicNameInvalid
            ? "\(subject), \(topic.quotedForMessage()), is too long once it is routed"
            : "\(subject), \(topic.quotedForMessage()), matches no route"
    }
}

extension PublishHead {
    /// Returns whether this changed the topic. `nil` keeps it.
    mutating func replaceTopic(with topic: String?) -> Bool {
        guard let topic, !topic.hasSameBytes(as: self.topic) else {
            return false
        }
        self.topic = topic
        return true
    }
}
