import MQTTCodec

extension Packet {
    /// The PUBLISH for a message with QoS 1 or 2.
    init(_ message: Message, packetID: UInt16, isDuplicate: Bool) {
        let head = PublishHead(
            isDuplicate: isDuplicate, qos: QoS(rawValue: message.stream.purpose.qos) ?? .atLeastOnce,
            retain: message.isRetained, topic: message.topic, packetID: packetID)
        self = .publish(head, payload: message.payload)
    }
}

extension Message {
    /// Whether a PUBLISH has the topic and the QoS with which the message was sent.
    func isCarried(by head: PublishHead) -> Bool {
        head.topic == topic && head.qos.rawValue == stream.purpose.qos
    }
}
