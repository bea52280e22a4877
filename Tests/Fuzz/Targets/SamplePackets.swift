import MQTTCodec
import NIOCore

/// Packets of every type and version, from which seeds are made.
enum SamplePackets {
    struct Sample {
        let version: MQTTVersion
        let bytes: [UInt8]
    }

    /// Each packet by itself.
    static let all: [Sample] = MQTTVersion.allCases.flatMap { version in
        packets(version).compactMap { packet in
            (try? packet.encode(version: version)).map { Sample(version: version, bytes: Array($0.readableBytesView)) }
        }
    }

    /// All packets of a version one after another, then each by itself.
    static let streams: [Sample] =
        MQTTVersion.allCases.map { version in
            Sample(version: version, bytes: all.filter { $0.version == version }.flatMap(\.bytes))
        } + all.filter { $0.version == .v5_0 }

    private static func packets(_ version: MQTTVersion) -> [Packet] {
        let ack = PublishAck(packetID: 258)
        let isFive = version == .v5_0
        return [
            .connect(connect(version)),
            .connack(Connack(sessionPresent: true)),
            .publish(PublishHead(qos: .atMostOnce, topic: "a/b"), payload: ByteBuffer(string: "payload")),
            .publish(
                PublishHead(
                    qos: .exactlyOnce, topic: "device/1/telemetry", packetID: 7,
                    properties: isFive
                        ? [.topicAlias(2), .userProperty(name: "key", value: "value"), .contentType("text/plain")] : []),
                payload: ByteBuffer(repeating: 0x20, count: 90)),
            .puback(ack), .pubrec(ack), .pubrel(ack), .pubcomp(ack),
            .subscribe(
                Subscribe(
                    packetID: 9,
                    subscriptions: [
                        Subscription(filter: "a/+/c", qos: .atLeastOnce), Subscription(filter: "#", qos: .exactlyOnce),
                    ])),
            .suback(Suback(packetID: 9, codes: [1, 2])),
            .unsubscribe(Unsubscribe(packetID: 10, filters: ["a/+/c", "#"])),
            .unsuback(Unsuback(packetID: 10, codes: isFive ? [0, 0x11] : [])),
            .pingreq, .pingresp,
            .disconnect(Disconnect()),
        ] + (isFive ? [.auth(Auth(reasonCode: 0x18, properties: [.authenticationMethod("SCRAM")]))] : [])
    }

    private static func connect(_ version: MQTTVersion) -> Connect {
        var connect = Connect(version: version, cleanStart: true, keepAlive: 60, clientID: "device-1")
        connect.username = "user"
        connect.password = ByteBuffer(string: "secret")
        connect.will = Will(topic: "gone", payload: ByteBuffer(string: "bye"), qos: .atLeastOnce, retain: true)
        if version == .v5_0 { connect.properties.sessionExpiryInterval = 300 }
        return connect
    }
}
