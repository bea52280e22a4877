import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What passes between a connected device and the broker.
@Suite struct DataStreamPacketTests {
    private static let up: [Packet] = [
        .message("a"), .message("a", .atLeastOnce, 1), .message("a", .exactlyOnce, 2, retain: true),
        .ack(.pubrel, 2), .ack(.puback, 3), .ack(.pubrec, 4), .ack(.pubcomp, 4),
        .subscribe(Subscribe(packetID: 5, subscriptions: [Subscription(filter: "b/#", qos: .atLeastOnce)])),
        .unsubscribe(Unsubscribe(packetID: 6, filters: ["b/#"])),
    ]

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func theDevicesPacketsPassAsTheyAre(_ version: MQTTVersion) throws {
        var bench = try DataStreamBench(version)
        try bench.establish { $0.will = Will(topic: "gone", qos: .exactlyOnce) }
        for packet in Self.up {
            let actions = try bench.device(packet)
            #expect(actions.toUplink == [try packet.encode(version: version)] && actions.count == 1)
        }
    }

    private static let down: [Packet] = [
        .message("a"), .message("a", .atLeastOnce, 1), .message("a", .exactlyOnce, 2, retain: true),
        .ack(.pubrel, 2), .ack(.puback, 3), .ack(.pubrec, 4), .ack(.pubcomp, 4),
        .suback(Suback(packetID: 5, codes: [1])),
    ]

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func theBrokersPacketsPassAsTheyAre(_ version: MQTTVersion) throws {
        var bench = try DataStreamBench(version)
        try bench.establish()
        let unsuback = Packet.unsuback(Unsuback(packetID: 6, codes: version == .v5_0 ? [0] : []))
        for packet in Self.down + [unsuback] {
            let actions = try bench.broker(packet)
            #expect(actions.toDevice == [try packet.encode(version: version)] && actions.count == 1)
        }
    }

    @Test func pingIsAnsweredHere() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        let actions = try bench.device(.pingreq)
        #expect(actions.toDevice == [ByteBuffer(bytes: [0xD0, 0])] && actions.toUplink.isEmpty)
    }

    @Test func thePongWaitsForTheEndOfALongDelivery() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        #expect(bench.session.uplinkSent(try bench.streamed("a")).toDevice.count == 1)
        #expect(try bench.device(.pingreq).isEmpty)
        let piece = ByteBuffer(string: "x")
        #expect(bench.session.uplinkSent(.payload(piece, isLast: false)).toDevice == [piece])
        #expect(
            bench.session.uplinkSent(.payload(piece, isLast: true)).toDevice == [piece, ByteBuffer(bytes: [0xD0, 0])])
    }

    @Test func longMessagesPassInPieces() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        let begin = try bench.streamed("a", .atLeastOnce, 1)
        guard case .publishBegin(let streamed) = begin else { return }
        #expect(bench.session.deviceSent(begin).toUplink == [streamed.head])
        let piece = ByteBuffer(string: "x")
        #expect(bench.session.deviceSent(.payload(piece, isLast: false)).toUplink == [piece])
        #expect(bench.session.deviceSent(.payload(piece, isLast: true)).toUplink == [piece])
    }

    // MARK: Topics

    private static let routes = [Route(local: "#", remote: "d/${username}/#", maximumQoS: 1)]

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func topicsGoByTheUser(_ version: MQTTVersion) throws {
        var bench = try DataStreamBench(version, routes: Self.routes)
        try bench.establish {
            $0.username = "alice"
            $0.will = Will(topic: "gone", payload: ByteBuffer(string: "x"))
        }
        #expect(try bench.up(bench.device(.message("t"))) == [.message("d/alice/t")])
        let subscription = Subscribe(packetID: 1, subscriptions: [Subscription(filter: "c/#")])
        let asked = try bench.up(bench.device(.subscribe(subscription)))
        #expect(
            asked == [.subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "d/alice/c/#")]))])
        #expect(try bench.down(bench.broker(.message("d/alice/c/x"))) == [.message("c/x")])
        #expect(try bench.broker(.message("d/bob/c/x")).isEmpty)
        #expect(try bench.up(bench.session.deviceClosed()) == [.message("d/alice/gone")])
    }

    @Test func aTopicOutsideTheRoutesIsRefused() throws {
        var bench = try DataStreamBench(routes: [Route(local: "a/#", remote: "d/${username}/a/#")])
        try bench.establish { $0.username = "alice" }
        #expect(try bench.down(bench.device(.message("b", .atLeastOnce, 1))) == [.ack(.puback, 1, 0x87)])
        let actions = try bench.device(.message("b")) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == 0x87)
        #expect(actions.closesDevice && actions.finishesUplink)
    }

    @Test func aWillOutsideTheRoutesIsRefused() throws {
        var bench = try DataStreamBench(routes: [Route(local: "a/#", remote: "d/${username}/a/#")])
        _ = try bench.device(
            bench.connect {
                $0.username = "alice"
                $0.will = Will(topic: "b")
            })
        #expect(try bench.connack(bench.session.authenticated(true)).code == 0x87)
    }

    @Test func anAliasOfTheBrokersThatNobodyOffered() throws {
        var bench = try DataStreamBench(routes: [Route(local: "#", remote: "r/#")])
        try bench.establish { $0.properties.topicAliasMaximum = 10 }
        let message = Packet.publish(
            PublishHead(topic: "r/a", properties: [.topicAlias(1)]), payload: ByteBuffer())
        guard case .brokerViolation = try bench.broker(message).end else {
            Issue.record("accepted")
            return
        }
    }

    // MARK: MQTT 3.1

    @Test func whatOnly3_1AllowsIsPutRight() throws {
        var bench = try DataStreamBench(.v3_1)
        try bench.establish()
        let cases: [(from: [UInt8], to: [UInt8])] = [
            // DUP at QoS 0.
            ([0x38, 4, 0, 1, 0x61, 0x78], [0x30, 4, 0, 1, 0x61, 0x78]),
            // DUP at QoS 1 stays.
            ([0x3A, 6, 0, 1, 0x61, 0, 1, 0x78], [0x3A, 6, 0, 1, 0x61, 0, 1, 0x78]),
            // DUP of PUBREL, SUBSCRIBE and UNSUBSCRIBE, unused bits of the options.
            ([0x6A, 2, 0, 1], [0x62, 2, 0, 1]),
            ([0x8A, 6, 0, 1, 0, 1, 0x61, 0xF1], [0x82, 6, 0, 1, 0, 1, 0x61, 1]),
            ([0xAA, 5, 0, 1, 0, 1, 0x61], [0xA2, 5, 0, 1, 0, 1, 0x61]),
            ([0x4F, 2, 0, 1], [0x40, 2, 0, 1]),
        ]
        for (from, to) in cases {
            let frame = try Frame(packet: ByteBuffer(bytes: from), version: .v3_1)
            let actions = bench.session.deviceSent(.packet(frame))
            #expect(actions.toUplink == [ByteBuffer(bytes: to)])
            // The broker's strict reading of 3.1.1 accepts it.
            _ = try Frame(packet: ByteBuffer(bytes: to), version: .v3_1_1)
        }
    }

    // MARK: Violations

    @Test(arguments: [
        Packet.connect(Connect(version: .v5_0, clientID: "dev")), .connack(Connack()), .pingresp, .auth(Auth()),
        .suback(Suback(packetID: 1, codes: [0])), .unsuback(Unsuback(packetID: 1, codes: [0])),
    ])
    func packetsThatADeviceMayNotSend(_ packet: Packet) throws {
        var bench = try DataStreamBench()
        try bench.establish()
        let actions = try bench.device(packet) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == 0x82)
        #expect(actions.closesDevice && actions.finishesUplink && actions.toUplink.isEmpty)
    }

    @Test func whatIsNoMQTT() throws {
        var bench = try DataStreamBench()
        let error = MQTTError(.malformed, clause: "c", message: "m")
        let foreign = bench.session.deviceMisbehaved(error, start: ByteBuffer(string: "GET / HTTP/1.1"))
        #expect("\(try #require(foreign.end))".contains("HTTP") && bench.session.isOver)
        bench = try DataStreamBench()
        try bench.establish()
        let actions = bench.session.deviceMisbehaved(error, start: ByteBuffer()) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == 0x81)
        #expect(actions.closesDevice && actions.finishesUplink)
    }

    @Test func theFirstPacketHasToBeConnect() throws {
        var bench = try DataStreamBench()
        let actions = try bench.device(.pingreq)
        #expect(actions.closesDevice && actions.toDevice.isEmpty && bench.session.isOver)
        bench = try DataStreamBench()
        #expect(bench.session.timedOut(.connectPacket).end == .noConnectPacket)
        bench = try DataStreamBench()
        #expect(bench.session.deviceClosed().end == .deviceVanished && bench.session.isOver)
    }

    @Test(arguments: [
        Packet.connect(Connect(version: .v5_0, clientID: "dev")), .connack(Connack()), .pingreq, .pingresp,
        .auth(Auth()), .subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "a")])),
    ])
    func packetsThatTheBrokerMayNotSend(_ packet: Packet) throws {
        var bench = try DataStreamBench()
        try bench.establish()
        let actions = try bench.broker(packet)
        guard case .brokerViolation = actions.end else {
            Issue.record("accepted: \(actions)")
            return
        }
        #expect(try bench.farewell(actions) == 0x8B)
        #expect(actions.closesDevice && actions.closesUplink && bench.session.isOver)
    }
}
