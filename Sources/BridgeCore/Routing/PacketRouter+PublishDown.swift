import MQTTCodec
import NIOCore

/// Routes messages of the broker.
extension PacketRouter {
    mutating func decideDown(_ head: PublishHead) throws(MQTTError) -> PublishDecision {
        let fate: TopicFate
        do {
            fate = try Self.fate(of: head, aliases: downAliases) { localFate(of: $0) }
        } catch {
            return PublishDecision(forwarding: .nothing, close: error)
        }
        let decision: PublishDecision
        if head.qos == .exactlyOnce, let packetID = head.packetID, answeredDown.contains(packetID) {
            decision = PublishDecision(forwarding: .nothing, reply: [try acknowledgement(.pubrec, packetID)])
        } else if case .forwarded(let topic, let routeIndex) = fate {
            decision = forwardDown(head, topic: topic, routeIndex: routeIndex)
            routes.tally?.passed(.down, by: routeIndex)
        } else {
            decision = try swallow(head)
        }
        Self.remember(fate, of: head, isForwarded: decision.forwarding != .nothing, in: &downAliases)
        return decision
    }

    /// PUBREL ends a flow that the bridge answered. Any other PUBREL goes to the device.
    mutating func releaseFromBroker(_ frame: Frame) throws(MQTTError) -> Routed {
        guard let packetID = frame.leadingPacketID, answeredDown.remove(packetID) != nil else {
            return Routed(forward: BufferList(frame.bytes))
        }
        return Routed(reply: [try acknowledgement(.pubcomp, packetID)])
    }

    /// The broker is never refused a message: one that does not go to the device is acknowledged here.
    func localFate(of topic: String) -> TopicFate {
        guard let mapped = routes.localTopic(for: topic) else {
            return routes.unrouted == .pass ? .forwarded(topic: nil, routeIndex: nil) : .dropped
        }
        guard mapped.topic.utf8.count <= TopicPattern.maximumLength else {
            return .dropped
        }
        return .forwarded(topic: mapped.topic, routeIndex: mapped.routeIndex)
    }

    private func forwardDown(_ original: PublishHead, topic: String?, routeIndex: Int?) -> PublishDecision {
        var head = original
        var isChanged = head.replaceTopic(with: topic)
        if let response = head.properties.responseTopic, let mapped = routes.localResponseTopic(for: response),
            mapped.utf8.count <= TopicPattern.maximumLength, !mapped.hasSameBytes(as: response)
        {
            head.properties.responseTopic = mapped
            isChanged = true
        }
        if let route = routes.route(at: routeIndex), route.stripsRetain, head.retain {
            head.retain = false
            isChanged = true
        }
        return PublishDecision(forwarding: isChanged ? .rewritten(head) : .unchanged)
    }

    /// Acknowledges a message to the broker without passing it on.
    mutating func swallow(_ head: PublishHead) throws(MQTTError) -> PublishDecision {
        counters.droppedDown += 1
        routes.tally?.count(.down, .dropped)
        if head.qos == .exactlyOnce, let packetID = head.packetID { answeredDown.insert(packetID) }
        return try acknowledging(head)
    }
}
