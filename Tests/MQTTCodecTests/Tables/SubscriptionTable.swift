import NIOCore

@testable import MQTTCodec

extension [PacketCase] {
    static let subscriptions = subscribes + badSubscribes + subacks + unsubscribes

    private static let subscribes: [PacketCase] = [
        .good(
            "SUBSCRIBE", .v3_1_1, "82 [ 0001 <'a/#'> 00 <'+/b'> 01 <'/'> 02 ]",
            .subscribe(
                Subscribe(
                    packetID: 1,
                    subscriptions: [
                        Subscription(filter: "a/#"), Subscription(filter: "+/b", qos: .atLeastOnce),
                        Subscription(filter: "/", qos: .exactlyOnce),
                    ]))),
        .good(
            "SUBSCRIBE, $share is an ordinary filter", .v3_1_1, "82 [ 0001 <'$share/g'> 00 ]",
            .subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "$share/g")]))),
        .good(
            "SUBSCRIBE, DUP and unused bits", .v3_1, "8A [ 0001 <'a'> FD ]",
            .subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "a", qos: .atLeastOnce)])),
            canonical: "82 [ 0001 <'a'> 01 ]"),
        .good(
            "SUBSCRIBE, options", .v5_0, "82 [ 000A [ 0B 8001 26 <'k'> <'v'> ] <'#'> 2E <'$share/g/+'> 18 ]",
            .subscribe(
                Subscribe(
                    packetID: 10, properties: [.subscriptionIdentifier(128), .userProperty(name: "k", value: "v")],
                    subscriptions: [
                        Subscription(
                            filter: "#", qos: .exactlyOnce, noLocal: true, retainAsPublished: true, retainHandling: 2),
                        Subscription(filter: "$share/g/+", retainAsPublished: true, retainHandling: 1),
                    ]))),
    ]

    private static let badSubscribes: [PacketCase] = [
        .bad("SUBSCRIBE, no filter", .v3_1_1, "82 02 0001", "[MQTT-3.8.3-3]", .protocolError),
        .bad("SUBSCRIBE, no filter", .v5_0, "82 03 0001 00", "[MQTT-3.8.3-2]", .protocolError),
        .bad("SUBSCRIBE, empty body", .v3_1_1, "82 00", "MQTT 3.1.1 3.8"),
        .bad("SUBSCRIBE, packet identifier 0", .v3_1_1, "82 [ 0000 <'a'> 00 ]", "[MQTT-2.3.1-1]", .protocolError),
        .bad("SUBSCRIBE, packet identifier 0", .v5_0, "82 [ 0000 [] <'a'> 00 ]", "[MQTT-2.2.1-3]", .protocolError),
        .bad("SUBSCRIBE, flags", .v3_1_1, "80 [ 0001 <'a'> 00 ]", "[MQTT-3.8.1-1]"),
        .bad("SUBSCRIBE, flags", .v5_0, "8A [ 0001 [] <'a'> 00 ]", "[MQTT-3.8.1-1]"),
        .bad("SUBSCRIBE, QoS 3", .v3_1_1, "82 [ 0001 <'a'> 03 ]", "[MQTT-3-8.3-4]"),
        .bad("SUBSCRIBE, QoS 3", .v5_0, "82 [ 0001 [] <'a'> 03 ]", "MQTT 5 3.8.3.1"),
        .bad("SUBSCRIBE, reserved bits", .v3_1_1, "82 [ 0001 <'a'> 04 ]", "[MQTT-3-8.3-4]"),
        .bad("SUBSCRIBE, reserved bits", .v5_0, "82 [ 0001 [] <'a'> 40 ]", "[MQTT-3.8.3-5]"),
        .bad("SUBSCRIBE, retain handling 3", .v5_0, "82 [ 0001 [] <'a'> 30 ]", "MQTT 5 3.8.3.1", .protocolError),
        .bad(
            "SUBSCRIBE, no local and shared", .v5_0, "82 [ 0001 [] <'$share/g/a'> 04 ]", "[MQTT-3.8.3-4]",
            .protocolError),
        .bad("SUBSCRIBE, no options", .v3_1_1, "82 [ 0001 <'a'> ]", "MQTT 3.1.1 3.8"),
        .bad("SUBSCRIBE, filter runs past the end", .v3_1_1, "82 [ 0001 0009 'a' 00 ]", "MQTT 3.1.1 3.8"),
        .bad("SUBSCRIBE, empty filter", .v3_1_1, "82 [ 0001 <> 00 ]", "[MQTT-4.7.3-1]"),
        .bad("SUBSCRIBE, # not last", .v3_1_1, "82 [ 0001 <'#/a'> 00 ]", "[MQTT-4.7.1-2]"),
        .bad("SUBSCRIBE, # not alone", .v5_0, "82 [ 0001 [] <'a#'> 00 ]", "[MQTT-4.7.1-1]"),
        .bad("SUBSCRIBE, + not alone", .v3_1_1, "82 [ 0001 <'a+'> 00 ]", "[MQTT-4.7.1-3]"),
        .bad("SUBSCRIBE, + not alone", .v5_0, "82 [ 0001 [] <'+a'> 00 ]", "[MQTT-4.7.1-2]"),
        .bad("SUBSCRIBE, empty share name", .v5_0, "82 [ 0001 [] <'$share//a'> 00 ]", "[MQTT-4.8.2-1]"),
        .bad("SUBSCRIBE, wildcard in share name", .v5_0, "82 [ 0001 [] <'$share/+/a'> 00 ]", "[MQTT-4.8.2-2]"),
        .bad("SUBSCRIBE, share name alone", .v5_0, "82 [ 0001 [] <'$share/g'> 00 ]", "[MQTT-4.8.2-2]"),
        .bad("SUBSCRIBE, nothing shared", .v5_0, "82 [ 0001 [] <'$share/g/'> 00 ]", "[MQTT-4.7.3-1]"),
        .bad("SUBSCRIBE, U+0000 in filter", .v5_0, "82 [ 0001 [] <00> 00 ]", "[MQTT-1.5.4-2]"),
        .bad("SUBSCRIBE, identifier 0", .v5_0, "82 [ 0001 [ 0B 00 ] <'a'> 00 ]", "MQTT 5 3.8.2.1.2", .protocolError),
        .bad(
            "SUBSCRIBE, identifier twice", .v5_0, "82 [ 0001 [ 0B 01 0B 02 ] <'a'> 00 ]", "MQTT 5 3.8.2.1.2",
            .protocolError),
        .bad("SUBSCRIBE, identifier of five bytes", .v5_0, "82 [ 0001 [ 0B 8080808001 ] <'a'> 00 ]", "MQTT 5 1.5.5"),
    ]

    private static let subacks: [PacketCase] = [
        .good("SUBACK", .v3_1_1, "90 [ 0001 00010280 ]", .suback(Suback(packetID: 1, codes: [0, 1, 2, 0x80]))),
        .good("SUBACK", .v5_0, "90 [ 0001 [] 0187A2 ]", .suback(Suback(packetID: 1, codes: [1, 0x87, 0xA2]))),
        .good(
            "SUBACK, properties", .v5_0, "90 [ 0001 [ 1F <'no'> ] 87 ]",
            .suback(Suback(packetID: 1, properties: [.reasonString("no")], codes: [0x87]))),
        .bad("SUBACK, no code", .v3_1_1, "90 02 0001", "[MQTT-3.8.4-5]", .protocolError),
        .bad("SUBACK, no code", .v5_0, "90 03 0001 00", "[MQTT-3.8.4-6]", .protocolError),
        .bad("SUBACK, code 3", .v3_1_1, "90 03 0001 03", "[MQTT-3.9.3-2]"),
        .bad("SUBACK, code 0x87", .v3_1_1, "90 03 0001 87", "[MQTT-3.9.3-2]"),
        .bad("SUBACK, code 0x11", .v5_0, "90 04 0001 00 11", "[MQTT-3.9.3-2]"),
        .bad("SUBACK, packet identifier 0", .v3_1_1, "90 03 0000 00", "[MQTT-2.3.1-6]", .protocolError),
    ]

    private static let unsubscribes: [PacketCase] = [
        .good(
            "UNSUBSCRIBE", .v3_1_1, "A2 [ 0001 <'a/#'> <'b'> ]",
            .unsubscribe(Unsubscribe(packetID: 1, filters: ["a/#", "b"]))),
        .good(
            "UNSUBSCRIBE", .v5_0, "A2 [ 0001 [ 26 <'k'> <'v'> ] <'$share/g/a'> ]",
            .unsubscribe(
                Unsubscribe(packetID: 1, properties: [.userProperty(name: "k", value: "v")], filters: ["$share/g/a"]))),
        .bad("UNSUBSCRIBE, no filter", .v3_1_1, "A2 02 0001", "[MQTT-3.10.3-2]", .protocolError),
        .bad("UNSUBSCRIBE, no filter", .v5_0, "A2 03 0001 00", "[MQTT-3.10.3-2]", .protocolError),
        .bad("UNSUBSCRIBE, flags", .v3_1_1, "A0 [ 0001 <'a'> ]", "[MQTT-3.10.1-1]"),
        .bad("UNSUBSCRIBE, packet identifier 0", .v3_1_1, "A2 [ 0000 <'a'> ]", "[MQTT-2.3.1-1]", .protocolError),
        .bad("UNSUBSCRIBE, + not alone", .v3_1_1, "A2 [ 0001 <'a/+b'> ]", "[MQTT-4.7.1-3]"),
        .bad("UNSUBSCRIBE, length byte alone", .v3_1_1, "A2 [ 0001 <'a'> 00 ]", "MQTT 3.1.1 3.10"),
        .bad("UNSUBSCRIBE, subscription identifier", .v5_0, "A2 [ 0001 [ 0B 01 ] <'a'> ]", "MQTT 5 2.2.2.2"),
        .good("UNSUBACK", .v3_1_1, "B0 02 0001", .unsuback(Unsuback(packetID: 1))),
        .good("UNSUBACK", .v5_0, "B0 [ 0001 [] 0011 ]", .unsuback(Unsuback(packetID: 1, codes: [0, 0x11]))),
        .bad("UNSUBACK, codes", .v3_1_1, "B0 03 0001 00", "MQTT 3.1.1 3.11"),
        .bad("UNSUBACK, no code", .v5_0, "B0 03 0001 00", "[MQTT-3.11.3-1]", .protocolError),
        .bad("UNSUBACK, code 0x01", .v5_0, "B0 04 0001 00 01", "[MQTT-3.11.3-2]"),
    ]
}
