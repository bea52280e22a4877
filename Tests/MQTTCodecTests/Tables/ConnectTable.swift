import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    static let connects = connects3 + connects5 + badConnects3 + badConnects5

    private static let connects3: [PacketCase] = [
        .good(
            "CONNECT, smallest", .v3_1_1, "10 [ <'MQTT'> 04 02 003C <> ]",
            .connect(Connect(version: .v3_1_1, keepAlive: 60))),
        .good(
            "CONNECT, every field", .v3_1_1,
            "10 [ <'MQTT'> 04 F4 FFFF <'dev-1'> <'state/dev-1'> <00FF> <'user'> <'pass'> ]",
            .connect(
                Connect(
                    version: .v3_1_1, cleanStart: false, keepAlive: 65535, clientID: "dev-1",
                    will: Will(
                        topic: "state/dev-1", payload: ByteBuffer(bytes: [0, 255]), qos: .exactlyOnce, retain: true),
                    username: "user", password: ByteBuffer(string: "pass")))),
        .good(
            "CONNECT, user name alone", .v3_1_1, "10 [ <'MQTT'> 04 82 0000 <'a'> <'user'> ]",
            .connect(Connect(version: .v3_1_1, clientID: "a", username: "user"))),
        .good(
            "CONNECT, empty will payload", .v3_1_1, "10 [ <'MQTT'> 04 0E 0000 <'a'> <'w'> <> ]",
            .connect(Connect(version: .v3_1_1, clientID: "a", will: Will(topic: "w", qos: .atLeastOnce)))),
        .good(
            "CONNECT of a bridge", .v3_1_1, "10 [ <'MQTT'> 84 02 003C <'bridge'> ]",
            .connect(Connect(version: .v3_1_1, keepAlive: 60, clientID: "bridge", isBridge: true))),
        .good(
            "CONNECT, remaining length with a leading zero", .v3_1_1, "10 8C00 <'MQTT'> 04 02 003C <>",
            .connect(Connect(version: .v3_1_1, keepAlive: 60)), canonical: "10 [ <'MQTT'> 04 02 003C <> ]"),
        .good(
            "CONNECT", .v3_1, "10 [ <'MQIsdp'> 03 02 003C <'a'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a"))),
        .good(
            "CONNECT, client id longer than 23 bytes", .v3_1,
            "10 [ <'MQIsdp'> 03 02 003C <'a-client-id-of-26-bytes-ab'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a-client-id-of-26-bytes-ab"))),
        .good(
            "CONNECT of a bridge", .v3_1, "10 [ <'MQIsdp'> 83 02 003C <'a'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a", isBridge: true))),
        .good(
            "CONNECT, user name and password flags but neither", .v3_1, "10 [ <'MQIsdp'> 03 C2 003C <'a'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a")),
            canonical: "10 [ <'MQIsdp'> 03 02 003C <'a'> ]"),
        .good(
            "CONNECT, unused bits", .v3_1, "10 [ <'MQIsdp'> 03 2B 003C <'a'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a")),
            canonical: "10 [ <'MQIsdp'> 03 02 003C <'a'> ]"),
        .good(
            "CONNECT, password without user name", .v3_1, "10 [ <'MQIsdp'> 03 42 003C <'a'> <'p'> ]",
            .connect(Connect(version: .v3_1, keepAlive: 60, clientID: "a", password: ByteBuffer(string: "p")))),
    ]

    private static let connects5: [PacketCase] = [
        .good(
            "CONNECT, smallest", .v5_0, "10 [ <'MQTT'> 05 02 003C [] <> ]", .connect(Connect(keepAlive: 60))),
        .good(
            "CONNECT, every field", .v5_0,
            """
            10 [ <'MQTT'> 05 EE 000A
                 [ 11 0000003C 21 0014 27 00010000 22 000A 19 01 17 00 26 <'k'> <'v'> 15 <'SCRAM'> 16 <0102> ]
                 <'dev'>
                 [ 18 00000005 01 01 02 00000E10 03 <'text/plain'> 08 <'reply/to'> 09 <AABB> 26 <'a'> <'b'> ]
                 <'will/t'> <'gone'> <'user'> <00> ]
            """,
            .connect(
                Connect(
                    keepAlive: 10, clientID: "dev",
                    will: Will(
                        topic: "will/t", payload: ByteBuffer(string: "gone"), qos: .atLeastOnce, retain: true,
                        properties: [
                            .willDelayInterval(5), .payloadFormatIndicator(true), .messageExpiryInterval(3600),
                            .contentType("text/plain"), .responseTopic("reply/to"),
                            .correlationData(ByteBuffer(bytes: [0xAA, 0xBB])), .userProperty(name: "a", value: "b"),
                        ]),
                    username: "user", password: ByteBuffer(bytes: [0]),
                    properties: [
                        .sessionExpiryInterval(60), .receiveMaximum(20), .maximumPacketSize(65536),
                        .topicAliasMaximum(10), .requestResponseInformation(true), .requestProblemInformation(false),
                        .userProperty(name: "k", value: "v"), .authenticationMethod("SCRAM"),
                        .authenticationData(ByteBuffer(bytes: [1, 2])),
                    ]))),
        .good(
            "CONNECT, password without user name", .v5_0, "10 [ <'MQTT'> 05 40 0000 [] <'a'> <'token'> ]",
            .connect(Connect(cleanStart: false, clientID: "a", password: ByteBuffer(string: "token")))),
        .good(
            "CONNECT of a bridge", .v5_0, "10 [ <'MQTT'> 85 02 003C [] <'a'> ]",
            .connect(Connect(keepAlive: 60, clientID: "a", isBridge: true))),
    ]

    private static let badConnects3: [PacketCase] = [
        .bad(
            "CONNECT, foreign protocol", .v3_1_1, "10 [ <'AMQP'> 04 02 003C <> ]", "[MQTT-3.1.2-1]", .unsupportedVersion
        ),
        .bad("CONNECT, level 6", .v3_1_1, "10 [ <'MQTT'> 06 02 003C <> ]", "[MQTT-3.1.2-2]", .unsupportedVersion),
        .bad(
            "CONNECT, MQTT level 3", .v3_1_1, "10 [ <'MQTT'> 03 02 003C <> ]", "[MQTT-3.1.2-2]", .unsupportedVersion),
        .bad(
            "CONNECT, MQIsdp of level 4", .v3_1_1, "10 [ <'MQIsdp'> 04 02 003C <> ]", "[MQTT-3.1.2-2]",
            .unsupportedVersion),
        .bad("CONNECT, reserved flag", .v3_1_1, "10 [ <'MQTT'> 04 03 003C <> ]", "[MQTT-3.1.2-3]"),
        .bad("CONNECT, will QoS without will", .v3_1_1, "10 [ <'MQTT'> 04 0A 003C <> ]", "[MQTT-3.1.2-13]"),
        .bad("CONNECT, will retain without will", .v3_1_1, "10 [ <'MQTT'> 04 22 003C <> ]", "[MQTT-3.1.2-15]"),
        .bad("CONNECT, will QoS 3", .v3_1_1, "10 [ <'MQTT'> 04 1E 003C <'a'> <'w'> <> ]", "[MQTT-3.1.2-14]"),
        .bad("CONNECT, will QoS 3", .v3_1, "10 [ <'MQIsdp'> 03 1E 003C <'a'> <'w'> <> ]", "[MQTT-3.1.2-14]"),
        .bad("CONNECT, password alone", .v3_1_1, "10 [ <'MQTT'> 04 42 003C <'a'> <'p'> ]", "[MQTT-3.1.2-22]"),
        .bad("CONNECT, no client id", .v3_1_1, "10 [ <'MQTT'> 04 02 003C ]", "MQTT 3.1.1 3.1"),
        .bad("CONNECT, client id cut off", .v3_1_1, "10 [ <'MQTT'> 04 02 003C 0005 'abc' ]", "MQTT 3.1.1 3.1"),
        .bad("CONNECT, user name missing", .v3_1_1, "10 [ <'MQTT'> 04 82 003C <'a'> ]", "MQTT 3.1.1 3.1"),
        .bad("CONNECT, trailing bytes", .v3_1_1, "10 [ <'MQTT'> 04 02 003C <'a'> 00 ]", "MQTT 3.1.1 3.1"),
        .bad("CONNECT, trailing bytes", .v3_1, "10 [ <'MQIsdp'> 03 02 003C <'a'> <'b'> ]", "MQTT 3.1.1 3.1"),
        .bad(
            "CONNECT, # in will topic", .v3_1_1, "10 [ <'MQTT'> 04 06 003C <'a'> <'w/#'> <> ]", "[MQTT-4.7.1-1]"),
        .bad("CONNECT, empty will topic", .v3_1_1, "10 [ <'MQTT'> 04 06 003C <'a'> <> <> ]", "[MQTT-4.7.3-1]"),
        .bad("CONNECT, client id not UTF-8", .v3_1_1, "10 [ <'MQTT'> 04 02 003C <FF> ]", "[MQTT-1.5.3-1]"),
        .bad("CONNECT, client id with U+0000", .v3_1_1, "10 [ <'MQTT'> 04 02 003C <'a' 00> ]", "[MQTT-1.5.3-2]"),
        .bad("CONNECT, user name not UTF-8", .v3_1_1, "10 [ <'MQTT'> 04 82 003C <'a'> <C0AF> ]", "[MQTT-1.5.3-1]"),
    ]

    private static let badConnects5: [PacketCase] = [
        .bad("CONNECT, empty body", .v5_0, "10 00", "MQTT 5 3.1"),
        .bad("CONNECT, protocol name alone", .v5_0, "10 [ <'MQTT'> ]", "MQTT 5 3.1"),
        .bad("CONNECT, will QoS without will", .v5_0, "10 [ <'MQTT'> 05 0A 003C [] <> ]", "[MQTT-3.1.2-11]"),
        .bad("CONNECT, will retain without will", .v5_0, "10 [ <'MQTT'> 05 22 003C [] <> ]", "[MQTT-3.1.2-13]"),
        .bad("CONNECT, will QoS 3", .v5_0, "10 [ <'MQTT'> 05 1E 003C [] <'a'> [] <'w'> <> ]", "[MQTT-3.1.2-12]"),
        .bad("CONNECT, reserved flag", .v5_0, "10 [ <'MQTT'> 05 03 003C [] <> ]", "[MQTT-3.1.2-3]"),
        .bad("CONNECT, no property length", .v5_0, "10 [ <'MQTT'> 05 02 003C ]", "MQTT 5 3.1"),
        .bad("CONNECT, properties run past the end", .v5_0, "10 [ <'MQTT'> 05 02 003C 7F <> ]", "MQTT 5 3.1"),
        .bad("CONNECT, trailing bytes", .v5_0, "10 [ <'MQTT'> 05 02 003C [] <> 01 ]", "MQTT 5 3.1"),
        .bad("CONNECT, length with a leading zero", .v5_0, "10 8D00 <'MQTT'> 05 02 003C [] <>", "[MQTT-1.5.5-1]"),
        .bad(
            "CONNECT, wildcard in will topic", .v5_0, "10 [ <'MQTT'> 05 06 003C [] <'a'> [] <'+'> <> ]",
            "[MQTT-4.7.0-1]"),
        .bad("CONNECT, user name with surrogate", .v5_0, "10 [ <'MQTT'> 05 82 003C [] <> <EDA080> ]", "[MQTT-1.5.4-1]"),
        .bad(
            "CONNECT, authentication data alone", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 16 <01> ] <> ]",
            "MQTT 5 3.1.2.11.10", .protocolError),
        .bad(
            "CONNECT, Receive Maximum 0", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 21 0000 ] <> ]", "MQTT 5 3.1.2.11.3",
            .protocolError),
        .bad(
            "CONNECT, Maximum Packet Size 0", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 27 00000000 ] <> ]",
            "MQTT 5 3.1.2.11.4", .protocolError),
        .bad(
            "CONNECT, flag 2", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 17 02 ] <> ]", "MQTT 5 3.1.2.11.7", .protocolError),
        .bad(
            "CONNECT, property twice", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 22 0001 22 0001 ] <> ]", "MQTT 5 3.1.2.11.5",
            .protocolError),
        .bad(
            "CONNECT, will property outside the will", .v5_0, "10 [ <'MQTT'> 05 02 003C [ 18 00000001 ] <> ]",
            "MQTT 5 2.2.2.2"),
        .bad(
            "CONNECT, property of CONNECT in the will", .v5_0,
            "10 [ <'MQTT'> 05 06 003C [] <'a'> [ 22 0001 ] <'w'> <> ]", "MQTT 5 2.2.2.2"),
        .bad(
            "CONNECT, will format 2", .v5_0, "10 [ <'MQTT'> 05 06 003C [] <'a'> [ 01 02 ] <'w'> <> ]",
            "MQTT 5 3.1.3.2.3", .protocolError),
    ]
}
