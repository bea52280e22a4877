import MQTTCodec
import NIOCore

extension ClientSession {
    mutating func received(_ head: PublishHead, _ payload: ByteBuffer) -> [ClientAction] {
        guard head.properties.topicAlias == nil else {
            return fault(.topicAliasInvalid, "it uses a topic alias, although this client accepts none")
        }
        let message = MQTTMessage(head, payload: payload)
        let recipients = subscriptions.recipients(
            of: head.topic, identifiers: head.properties.subscriptionIdentifiers)
        guard let packetID = head.packetID, head.qos != .atMostOnce else {
            return [.deliver(message, nil, to: recipients)]
        }
        switch incoming.received(message, packetID) {
        case .new(let delivery): return [.deliver(message, delivery, to: recipients)]
        case .known(let answers): return answer(answers)
        case .tooMany:
            return fault(.receiveMaximumExceeded, "it sent more than \(configuration.receiveMaximum) messages at once")
        }
    }

    /// The application has taken a message.
    package mutating func taken(_ delivery: IncomingFlow.Delivery) -> [ClientAction] {
        let answers = incoming.taken(delivery)
        return phase == .online ? answer(answers) : []
    }

    mutating func pubrel(_ ack: PublishAck) -> [ClientAction] {
        let isKnown = incoming.released(ack.packetID)
        let code = isKnown || !version.hasProperties ? 0 : MQTTReasonCode.packetIdentifierNotFound.rawValue
        return send(.pubcomp(PublishAck(packetID: ack.packetID, reasonCode: code)))
    }

    private func answer(_ answers: [IncomingFlow.Answer]) -> [ClientAction] {
        answers.flatMap { answer in
            switch answer {
            case .puback(let packetID): send(.puback(PublishAck(packetID: packetID)))
            case .pubrec(let packetID): send(.pubrec(PublishAck(packetID: packetID)))
            }
        }
    }
}
