import MQTTCodec
import NIOCore

// PUBACK, PUBREC and PUBCOMP for the client's own messages.
extension ClientSession {
    mutating func puback(_ ack: PublishAck, on stream: LinkStream) -> [ClientAction] {
        guard let (lane, publish) = published(ack, on: stream, .atLeastOnce) else { return unknown("PUBACK") }
        return finish(publish, lane, ack)
    }

    mutating func pubrec(_ ack: PublishAck, on stream: LinkStream) -> [ClientAction] {
        guard let lane = streams.firstIndex(of: stream), let known = flows[lane].inFlight[ack.packetID] else {
            // The broker remembers more than this client does, such as a session of an earlier process
            // ([MQTT-4.3.3-4]; MQTT 5 3.6.2.1).
            return send(.pubrel(PublishAck(packetID: ack.packetID, reasonCode: notFound)), on: stream)
        }
        guard known.publish.message.qos == .exactlyOnce else { return unknown("PUBREC") }
        var publish = known.publish
        guard !MQTTReasonCode(rawValue: ack.reasonCode).isError else { return finish(publish, lane, ack) }
        outstandingBytes -= publish.size
        publish = publish.released
        flows[lane].inFlight[ack.packetID] = .released(publish)
        return send(.pubrel(PublishAck(packetID: ack.packetID)), on: stream)
    }

    mutating func pubcomp(_ ack: PublishAck, on stream: LinkStream) -> [ClientAction] {
        guard let lane = streams.firstIndex(of: stream),
            case .released(let publish)? = flows[lane].inFlight[ack.packetID]
        else {
            // The answer to a PUBREL for an identifier that this client did not know.
            return []
        }
        var ack = ack
        // The broker had finished with it before: PUBREL was sent twice, because the first PUBCOMP was lost.
        if ack.reasonCode == MQTTReasonCode.packetIdentifierNotFound.rawValue { ack.reasonCode = 0 }
        return finish(publish, lane, ack)
    }

    private var notFound: UInt8 {
        version.hasProperties ? MQTTReasonCode.packetIdentifierNotFound.rawValue : 0
    }

    private func published(
        _ ack: PublishAck, on stream: LinkStream, _ qos: MQTTQoS
    ) -> (lane: Int, OutgoingPublish)? {
        guard let lane = streams.firstIndex(of: stream),
            case .published(let publish)? = flows[lane].inFlight[ack.packetID], publish.message.qos == qos
        else { return nil }
        return (lane, publish)
    }

    private func unknown(_ name: String) -> [ClientAction] {
        fault(.protocolError, "its \(name) is for no message that was sent with that QoS")
    }

    private mutating func finish(_ publish: OutgoingPublish, _ lane: Int, _ ack: PublishAck) -> [ClientAction] {
        flows[lane].inFlight[ack.packetID] = nil
        flows[lane].identifiers.free(ack.packetID)
        settle(publish, from: lane)
        guard publish.hasWaiter else { return [] }
        let code = MQTTReasonCode(rawValue: ack.reasonCode)
        let reason = ack.properties.reasonString
        guard !code.isError else { return [.published(publish.operation, .failure(.rejected(code, reason: reason)))] }
        var answer = MQTTPublishAnswer(reasonCode: code, reason: reason)
        answer.userProperties = ack.properties.publicUserProperties
        return [.published(publish.operation, .success(answer))]
    }
}

extension OutgoingPublish {
    /// PUBREC has come: only the topic is needed from here on.
    fileprivate var released: Self {
        var publish = OutgoingPublish(operation: operation, order: order, message: message, lane: lane, size: 0)
        publish.message.payload = ByteBuffer()
        publish.message.properties = MQTTMessageProperties()
        publish.packetID = packetID
        publish.isSent = isSent
        publish.hasWaiter = hasWaiter
        return publish
    }
}
