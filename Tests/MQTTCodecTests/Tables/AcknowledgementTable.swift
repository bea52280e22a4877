import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    static let acknowledgements: [PacketCase] = [
        .good("PUBACK", .v3_1_1, "40 02 0001", .puback(PublishAck(packetID: 1))),
        .good("PUBREC", .v3_1_1, "50 02 0102", .pubrec(PublishAck(packetID: 258))),
        .good("PUBREL", .v3_1_1, "62 02 FFFF", .pubrel(PublishAck(packetID: 65535))),
        .good("PUBCOMP", .v3_1_1, "70 02 0001", .pubcomp(PublishAck(packetID: 1))),
        .good("PUBREL, DUP", .v3_1, "6A 02 0001", .pubrel(PublishAck(packetID: 1)), canonical: "62 02 0001"),
        .good("PUBACK, short", .v5_0, "40 02 0001", .puback(PublishAck(packetID: 1))),
        .good("PUBACK, reason code", .v5_0, "40 03 0001 10", .puback(PublishAck(packetID: 1, reasonCode: 0x10))),
        .good(
            "PUBACK, reason code 0 written out", .v5_0, "40 03 0001 00", .puback(PublishAck(packetID: 1)),
            canonical: "40 02 0001"),
        .good(
            "PUBACK, no properties written out", .v5_0, "40 04 0001 87 00",
            .puback(PublishAck(packetID: 1, reasonCode: 0x87)), canonical: "40 03 0001 87"),
        .good(
            "PUBREC, properties", .v5_0, "50 [ 0001 97 [ 1F <'full'> 26 <'k'> <'v'> 26 <'k'> <'v'> ] ]",
            .pubrec(
                PublishAck(
                    packetID: 1, reasonCode: 0x97,
                    properties: [
                        .reasonString("full"), .userProperty(name: "k", value: "v"),
                        .userProperty(name: "k", value: "v"),
                    ]))),
        .good("PUBREL", .v5_0, "62 03 0001 92", .pubrel(PublishAck(packetID: 1, reasonCode: 0x92))),
        .good("PUBCOMP", .v5_0, "70 03 0001 92", .pubcomp(PublishAck(packetID: 1, reasonCode: 0x92))),
        .good(
            "PUBACK, success with properties", .v5_0, "40 [ 0001 00 [ 1F <> ] ]",
            .puback(PublishAck(packetID: 1, properties: [.reasonString("")]))),

        .bad("PUBACK, packet identifier 0", .v3_1_1, "40 02 0000", "[MQTT-2.3.1-6]", .protocolError),
        .bad("PUBACK, packet identifier 0", .v5_0, "40 02 0000", "[MQTT-2.2.1-5]", .protocolError),
        .bad("PUBACK, too short", .v3_1_1, "40 01 00", "MQTT 3.1.1 3.4"),
        .bad("PUBACK, too short", .v5_0, "40 01 00", "MQTT 5 3.4"),
        .bad("PUBACK, too long", .v3_1_1, "40 03 0001 00", "MQTT 3.1.1 3.4"),
        .bad("PUBACK, flags", .v3_1_1, "42 02 0001", "[MQTT-2.2.2-2]"),
        .bad("PUBREL, flags", .v3_1_1, "60 02 0001", "[MQTT-3.6.1-1]"),
        .bad("PUBREL, flags", .v5_0, "63 02 0001", "[MQTT-3.6.1-1]"),
        .bad("PUBACK, reason code of another packet", .v5_0, "40 03 0001 92", "[MQTT-3.4.2-1]"),
        .bad("PUBREC, unknown reason code", .v5_0, "50 03 0001 7F", "[MQTT-3.5.2-1]"),
        .bad("PUBREL, reason code of another packet", .v5_0, "62 03 0001 10", "[MQTT-3.6.2-1]"),
        .bad("PUBCOMP, reason code of another packet", .v5_0, "70 03 0001 80", "[MQTT-3.7.2-1]"),
        .bad("PUBACK, trailing bytes", .v5_0, "40 05 0001 00 00 00", "MQTT 5 3.4"),
        .bad("PUBACK, properties run past the end", .v5_0, "40 04 0001 00 05", "MQTT 5 3.4"),
        .bad("PUBACK, reason twice", .v5_0, "40 [ 0001 00 [ 1F <> 1F <> ] ]", "MQTT 5 3.4.2.2.2", .protocolError),
        .bad("PUBACK, topic alias", .v5_0, "40 [ 0001 00 [ 23 0001 ] ]", "MQTT 5 2.2.2.2"),
    ]
}
