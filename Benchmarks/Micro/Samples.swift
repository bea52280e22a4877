import MQTTCodec
import NIOCore

/// The packets that are measured: a message of 200 bytes at QoS 1, its acknowledgement, and a subscription.
enum Samples {
    static let localTopic = "telemetry/line-4/temperature"
    static let remoteTopic = "commands/line-4/setpoint"
    private static let payload = ByteBuffer(repeating: 0x78, count: 200)

    static func head(_ version: MQTTVersion, topic: String = localTopic) -> PublishHead {
        let properties: Properties =
            version.hasProperties ? [.messageExpiryInterval(60), .contentType("application/json")] : []
        return PublishHead(qos: .atLeastOnce, topic: topic, packetID: 7, properties: properties)
    }

    static func publish(_ version: MQTTVersion, topic: String = localTopic) -> Packet {
        .publish(head(version, topic: topic), payload: payload)
    }

    static let puback = Packet.puback(PublishAck(packetID: 7))
    static let subscribe = Packet.subscribe(
        Subscribe(packetID: 9, subscriptions: [Subscription(filter: "commands/#", qos: .atLeastOnce)]))
    static let suback = Packet.suback(Suback(packetID: 9, codes: [1]))

    /// A packet as the frame decoder hands it out.
    static func frame(_ packet: Packet, _ version: MQTTVersion) throws -> Frame {
        try Frame(packet: packet.encode(version: version), version: version)
    }
}
