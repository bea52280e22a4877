import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    static let publishes: [PacketCase] = [
        .good(
            "PUBLISH", .v3_1_1, "30 [ <'a/b'> 'hello' ]",
            .publish(PublishHead(topic: "a/b"), payload: ByteBuffer(string: "hello"))),
        .good(
            "PUBLISH, no payload", .v3_1_1, "31 [ <'a/b'> ]",
            .publish(PublishHead(retain: true, topic: "a/b"), payload: .init())),
        .good(
            "PUBLISH, QoS 1", .v3_1_1, "3A [ <'a'> 0001 00FF ]",
            .publish(
                PublishHead(isDuplicate: true, qos: .atLeastOnce, topic: "a", packetID: 1),
                payload: ByteBuffer(bytes: [0, 255]))),
        .good(
            "PUBLISH, QoS 2", .v3_1_1, "35 [ <'a'> FFFF 'x' ]",
            .publish(
                PublishHead(qos: .exactlyOnce, retain: true, topic: "a", packetID: 65535),
                payload: ByteBuffer(string: "x"))),
        .good(
            "PUBLISH, topic of many scripts", .v3_1_1, "30 [ <'ä/温度/🌡'> EFBBBF ]",
            .publish(PublishHead(topic: "ä/温度/🌡"), payload: ByteBuffer(bytes: [0xEF, 0xBB, 0xBF]))),
        .good(
            "PUBLISH, U+FEFF in the topic is kept", .v3_1_1, "30 [ <EFBBBF 'a'> ]",
            .publish(PublishHead(topic: "\u{FEFF}a"), payload: .init())),
        .good(
            "PUBLISH, length with a leading zero", .v3_1_1, "30 8300 <'a'>",
            .publish(PublishHead(topic: "a"), payload: .init()),
            canonical: "30 [ <'a'> ]"),
        .good(
            "PUBLISH, DUP at QoS 0", .v3_1, "38 [ <'a'> ]",
            .publish(PublishHead(isDuplicate: true, topic: "a"), payload: .init()), canonical: "30 [ <'a'> ]"),
        .good(
            "PUBLISH", .v5_0, "30 [ <'a/b'> [] 'hi' ]",
            .publish(PublishHead(topic: "a/b"), payload: ByteBuffer(string: "hi"))),
        .good(
            "PUBLISH, every property", .v5_0,
            """
            32 [ <'a'> 000A [ 01 01 02 0000003C 23 0003 08 <'reply'> 09 <0102> 26 <'k'> <'1'> 26 <'k'> <'2'>
                              0B 01 0B FFFFFF7F 03 <'json'> ] '{}' ]
            """,
            .publish(
                PublishHead(
                    qos: .atLeastOnce, topic: "a", packetID: 10,
                    properties: [
                        .payloadFormatIndicator(true), .messageExpiryInterval(60), .topicAlias(3),
                        .responseTopic("reply"), .correlationData(ByteBuffer(bytes: [1, 2])),
                        .userProperty(name: "k", value: "1"), .userProperty(name: "k", value: "2"),
                        .subscriptionIdentifier(1), .subscriptionIdentifier(268_435_455), .contentType("json"),
                    ]), payload: ByteBuffer(string: "{}"))),
        .good(
            "PUBLISH, alias for topic", .v5_0, "30 [ <> [ 23 0001 ] 'x' ]",
            .publish(PublishHead(topic: "", properties: [.topicAlias(1)]), payload: ByteBuffer(string: "x"))),

        .bad("PUBLISH, QoS 3", .v3_1_1, "36 [ <'a'> 0001 ]", "[MQTT-3.3.1-4]"),
        .bad("PUBLISH, QoS 3", .v5_0, "36 [ <'a'> 0001 [] ]", "[MQTT-3.3.1-4]"),
        .bad("PUBLISH, DUP at QoS 0", .v3_1_1, "38 [ <'a'> ]", "[MQTT-3.3.1-2]"),
        .bad("PUBLISH, DUP at QoS 0", .v5_0, "39 [ <'a'> [] ]", "[MQTT-3.3.1-2]"),
        .bad("PUBLISH, empty topic", .v3_1_1, "30 [ <> 'x' ]", "[MQTT-4.7.3-1]"),
        .bad("PUBLISH, empty topic without alias", .v5_0, "30 [ <> [] 'x' ]", "MQTT 5 3.3.2.1", .protocolError),
        .bad("PUBLISH, # in topic", .v3_1_1, "30 [ <'a/#'> ]", "[MQTT-3.3.2-2]"),
        .bad("PUBLISH, + in topic", .v5_0, "30 [ <'a/+/b'> [] ]", "[MQTT-3.3.2-2]"),
        .bad("PUBLISH, packet identifier 0", .v3_1_1, "32 [ <'a'> 0000 ]", "[MQTT-2.3.1-1]", .protocolError),
        .bad("PUBLISH, packet identifier 0", .v5_0, "34 [ <'a'> 0000 [] ]", "[MQTT-2.2.1-3]", .protocolError),
        .bad("PUBLISH, empty body", .v3_1_1, "30 00", "MQTT 3.1.1 3.3"),
        .bad("PUBLISH, one byte of topic length", .v3_1_1, "30 01 00", "MQTT 3.1.1 3.3"),
        .bad("PUBLISH, topic runs past the end", .v3_1_1, "30 05 0004 'abc'", "MQTT 3.1.1 3.3"),
        .bad("PUBLISH, no packet identifier", .v3_1_1, "32 [ <'a'> 00 ]", "MQTT 3.1.1 3.3"),
        .bad("PUBLISH, no property length", .v5_0, "30 [ <'a'> ]", "MQTT 5 3.3"),
        .bad("PUBLISH, properties run past the end", .v5_0, "30 [ <'a'> 05 01 01 ]", "MQTT 5 3.3"),
        .bad("PUBLISH, property length of five bytes", .v5_0, "30 [ <'a'> FFFFFFFF01 ]", "MQTT 5 1.5.5"),
        .bad("PUBLISH, property length with a leading zero", .v5_0, "30 [ <'a'> 8000 ]", "[MQTT-1.5.5-1]"),
        .bad("PUBLISH, overlong UTF-8", .v3_1_1, "30 [ <C080> ]", "[MQTT-1.5.3-1]"),
        .bad("PUBLISH, surrogate", .v5_0, "30 [ <'a' EDBFBF> [] ]", "[MQTT-1.5.4-1]"),
        .bad("PUBLISH, beyond U+10FFFF", .v5_0, "30 [ <F4908080> [] ]", "[MQTT-1.5.4-1]"),
        .bad("PUBLISH, UTF-8 cut off", .v5_0, "30 [ <'a' E282> [] ]", "[MQTT-1.5.4-1]"),
        .bad("PUBLISH, U+0000 in topic", .v5_0, "30 [ <'a' 00 'b'> [] ]", "[MQTT-1.5.4-2]"),
        .bad("PUBLISH, topic alias 0", .v5_0, "30 [ <'a'> [ 23 0000 ] ]", "MQTT 5 3.3.2.3.4", .topicAliasInvalid),
        .bad(
            "PUBLISH, alias twice", .v5_0, "30 [ <'a'> [ 23 0001 23 0001 ] ]", "MQTT 5 3.3.2.3.4", .protocolError),
        .bad("PUBLISH, subscription identifier 0", .v5_0, "30 [ <'a'> [ 0B 00 ] ]", "MQTT 5 3.3.2.3.8", .protocolError),
        .bad("PUBLISH, wildcard in response topic", .v5_0, "30 [ <'a'> [ 08 <'r/+'> ] ]", "[MQTT-3.3.2-14]"),
        .bad("PUBLISH, empty response topic", .v5_0, "30 [ <'a'> [ 08 <> ] ]", "[MQTT-4.7.3-1]"),
        .bad("PUBLISH, format 2", .v5_0, "30 [ <'a'> [ 01 02 ] ]", "MQTT 5 3.3.2.3.2", .protocolError),
    ]
}
