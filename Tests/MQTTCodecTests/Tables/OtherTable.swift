import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    /// PINGREQ, PINGRESP, DISCONNECT and AUTH.
    static let others: [PacketCase] = [
        .good("PINGREQ", .v3_1_1, "C0 00", .pingreq),
        .good("PINGRESP", .v3_1_1, "D0 00", .pingresp),
        .good("PINGREQ", .v5_0, "C0 00", .pingreq),
        .good("PINGRESP", .v5_0, "D0 00", .pingresp),
        .good("DISCONNECT", .v3_1_1, "E0 00", .disconnect(Disconnect())),
        .good("DISCONNECT, empty", .v5_0, "E0 00", .disconnect(Disconnect())),
        .good("DISCONNECT, reason code", .v5_0, "E0 01 8E", .disconnect(Disconnect(reasonCode: 0x8E))),
        .good("DISCONNECT, with will", .v5_0, "E0 01 04", .disconnect(Disconnect(reasonCode: 4))),
        .good(
            "DISCONNECT, reason code and no properties", .v5_0, "E0 02 88 00",
            .disconnect(Disconnect(reasonCode: 0x88)), canonical: "E0 01 88"),
        .good(
            "DISCONNECT, reason code 0 written out", .v5_0, "E0 02 00 00", .disconnect(Disconnect()), canonical: "E0 00"
        ),
        .good(
            "DISCONNECT, properties", .v5_0, "E0 [ 9D [ 11 00000000 1F <'moved'> 26 <'k'> <'v'> 1C <'other'> ] ]",
            .disconnect(
                Disconnect(
                    reasonCode: 0x9D,
                    properties: [
                        .sessionExpiryInterval(0), .reasonString("moved"), .userProperty(name: "k", value: "v"),
                        .serverReference("other"),
                    ]))),
        .good("AUTH, empty", .v5_0, "F0 00", .auth(Auth())),
        .good(
            "AUTH", .v5_0, "F0 [ 18 [ 15 <'SCRAM'> 16 <00> 1F <'go on'> 26 <'k'> <'v'> ] ]",
            .auth(
                Auth(
                    reasonCode: 0x18,
                    properties: [
                        .authenticationMethod("SCRAM"), .authenticationData(ByteBuffer(bytes: [0])),
                        .reasonString("go on"), .userProperty(name: "k", value: "v"),
                    ]))),

        .bad("PINGREQ, body", .v3_1_1, "C0 01 00", "MQTT 3.1.1 3.12"),
        .bad("PINGRESP, body", .v5_0, "D0 01 00", "MQTT 5 3.13"),
        .bad("PINGREQ, flags", .v3_1_1, "C1 00", "[MQTT-2.2.2-2]"),
        .bad("PINGREQ, flags", .v5_0, "C8 00", "[MQTT-2.1.3-1]"),
        .bad("DISCONNECT, body", .v3_1_1, "E0 01 00", "MQTT 3.1.1 3.14"),
        .bad("DISCONNECT, flags", .v5_0, "E1 00", "[MQTT-3.14.1-1]"),
        .bad("DISCONNECT, reason code 1", .v5_0, "E0 01 01", "[MQTT-3.14.2-1]"),
        .bad("DISCONNECT, trailing bytes", .v5_0, "E0 03 00 00 00", "MQTT 5 3.14"),
        .bad("DISCONNECT, topic alias", .v5_0, "E0 [ 00 [ 23 0001 ] ]", "MQTT 5 2.2.2.2"),
        .bad("AUTH", .v3_1_1, "F0 00", "MQTT 3.1.1 2.2.1"),
        .bad("AUTH", .v3_1, "F0 00", "MQTT 3.1.1 2.2.1"),
        .bad("AUTH, flags", .v5_0, "F2 00", "[MQTT-3.15.1-1]"),
        .bad("AUTH, reason code alone", .v5_0, "F0 01 18", "MQTT 5 3.15"),
        .bad("AUTH, reason code 0x87", .v5_0, "F0 [ 87 [ 15 <'M'> ] ]", "[MQTT-3.15.2-1]"),
        .bad("AUTH, no method", .v5_0, "F0 02 18 00", "MQTT 5 3.15.2.2.2", .protocolError),
        .bad("AUTH, method twice", .v5_0, "F0 [ 18 [ 15 <'M'> 15 <'M'> ] ]", "MQTT 5 3.15.2.2.2", .protocolError),
    ]

    /// The rules for every packet: type, length, and that CONNECT comes first.
    static let frames: [PacketCase] = [
        .bad("packet type 0", .v3_1_1, "00 00", "MQTT 3.1.1 2.2.1"),
        .bad("packet type 0", .v5_0, "00 00", "MQTT 5 2.1.2"),
        .bad("five length bytes", .v3_1_1, "30 FFFFFFFF 01", "MQTT 3.1.1 2.2.3"),
        .bad("five length bytes", .v5_0, "82 80808080 00", "MQTT 5 1.5.5"),
        .bad("length with a leading zero", .v5_0, "C0 8000", "[MQTT-1.5.5-1]"),
        .good("length with a leading zero", .v3_1_1, "C0 80808000", .pingreq, canonical: "C0 00"),
        .bad("CONNECT, five length bytes", .v3_1_1, "10 FFFFFFFF 01", "MQTT 5 1.5.5"),
    ]

    /// How properties are written, in the shortest packet that can have them.
    static let properties: [PacketCase] = [
        .bad("unknown property", .v5_0, "E0 [ 00 [ 7F ] ]", "MQTT 5 2.2.2.2"),
        .bad("property 0", .v5_0, "E0 [ 00 [ 00 ] ]", "MQTT 5 2.2.2.2"),
        .bad("property identifier of two bytes", .v5_0, "E0 [ 00 [ 8002 ] ]", "MQTT 5 2.2.2.2"),
        .bad("property identifier with a leading zero", .v5_0, "E0 [ 00 [ 9F00 <> ] ]", "[MQTT-1.5.5-1]"),
        .bad("string runs past the properties", .v5_0, "E0 [ 00 [ 1F 0002 'a' ] ]", "MQTT 5 2.2.2.1"),
        .bad("property without value", .v5_0, "E0 [ 00 [ 1F ] ]", "MQTT 5 2.2.2.1"),
        .bad("number cut off", .v5_0, "E0 [ 00 [ 11 000000 ] ]", "MQTT 5 2.2.2.1"),
        .bad("user property without value", .v5_0, "E0 [ 00 [ 26 <'k'> ] ]", "MQTT 5 2.2.2.1"),
        .bad("user property not UTF-8", .v5_0, "E0 [ 00 [ 26 <'k'> <FE> ] ]", "[MQTT-1.5.4-1]"),
        .bad("user property with U+0000", .v5_0, "E0 [ 00 [ 26 <00> <> ] ]", "[MQTT-1.5.4-2]"),
    ]
}
