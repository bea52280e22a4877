import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    static let connacks: [PacketCase] = [
        .good("CONNACK", .v3_1_1, "20 02 00 00", .connack(Connack())),
        .good("CONNACK, session present", .v3_1_1, "20 02 01 00", .connack(Connack(sessionPresent: true))),
        .good("CONNACK, refused", .v3_1_1, "20 02 00 05", .connack(Connack(code: 5))),
        .good("CONNACK, unknown return code", .v3_1_1, "20 02 00 87", .connack(Connack(code: 0x87))),
        .good("CONNACK, reserved byte", .v3_1, "20 02 FF 00", .connack(Connack()), canonical: "20 02 00 00"),
        .good("CONNACK", .v5_0, "20 03 00 00 00", .connack(Connack())),
        .good("CONNACK of a broker without MQTT 5", .v5_0, "20 02 00 01", .connack(Connack(code: 1))),
        .good(
            "CONNACK, every property", .v5_0,
            """
            20 [ 01 00 [ 11 00000078 21 0014 24 01 25 00 27 00100000 12 <'auto-1'> 22 000A 1F <'ok'> 26 <'k'> <'v'>
                         28 00 29 01 2A 00 13 001E 1A <'resp/'> 1C <'other:1883'> 15 <'M'> 16 <0102> ] ]
            """,
            .connack(
                Connack(
                    sessionPresent: true,
                    properties: [
                        .sessionExpiryInterval(120), .receiveMaximum(20), .maximumQoS(.atLeastOnce),
                        .retainAvailable(false), .maximumPacketSize(1 << 20), .assignedClientIdentifier("auto-1"),
                        .topicAliasMaximum(10), .reasonString("ok"), .userProperty(name: "k", value: "v"),
                        .wildcardSubscriptionAvailable(false), .subscriptionIdentifiersAvailable(true),
                        .sharedSubscriptionAvailable(false), .serverKeepAlive(30), .responseInformation("resp/"),
                        .serverReference("other:1883"), .authenticationMethod("M"),
                        .authenticationData(ByteBuffer(bytes: [1, 2])),
                    ]))),
        .good(
            "CONNACK, refused with a reason", .v5_0, "20 [ 00 88 [ 1F <'no uplink'> ] ]",
            .connack(Connack(code: 0x88, properties: [.reasonString("no uplink")]))),

        .bad("CONNACK, reserved flags", .v3_1_1, "20 02 02 00", "MQTT 3.1.1 3.2.2.1"),
        .bad("CONNACK, reserved flags", .v5_0, "20 03 80 00 00", "[MQTT-3.2.2-1]"),
        .bad("CONNACK, session present and refused", .v3_1_1, "20 02 01 02", "[MQTT-3.2.2-4]", .protocolError),
        .bad("CONNACK, session present and refused", .v5_0, "20 03 01 87 00", "[MQTT-3.2.2-6]", .protocolError),
        .bad("CONNACK, too long", .v3_1_1, "20 03 00 00 00", "MQTT 3.1.1 3.2"),
        .bad("CONNACK, too short", .v3_1_1, "20 01 00", "MQTT 3.1.1 3.2"),
        .bad("CONNACK, no property length", .v5_0, "20 02 00 00", "MQTT 5 3.2"),
        .bad("CONNACK, empty", .v5_0, "20 00", "MQTT 5 3.2"),
        .bad("CONNACK, reason code 0x10", .v5_0, "20 03 00 10 00", "[MQTT-3.2.2-8]"),
        .bad("CONNACK, trailing bytes", .v5_0, "20 04 00 00 00 00", "MQTT 5 3.2"),
        .bad("CONNACK, Maximum QoS 2", .v5_0, "20 [ 00 00 [ 24 02 ] ]", "MQTT 5 3.2.2.3.4", .protocolError),
        .bad("CONNACK, Retain Available 2", .v5_0, "20 [ 00 00 [ 25 02 ] ]", "MQTT 5 3.2.2.3.5", .protocolError),
        .bad("CONNACK, Receive Maximum 0", .v5_0, "20 [ 00 00 [ 21 0000 ] ]", "MQTT 5 3.2.2.3.3", .protocolError),
    ]
}
