import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What the bridge itself says is never longer than the device accepts.
@Suite struct PacketLimitTests {
    private static let limits: [UInt32] = [1, 2, 3, 4, 5, 6, 8, 20, 40, 100, 10_000]

    private func fits(_ actions: [SessionAction], _ limit: UInt32) -> Bool {
        actions.toDevice.allSatisfy { $0.readableBytes <= limit }
    }

    @Test(arguments: limits)
    func aRefusal(_ limit: UInt32) throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect { $0.properties.maximumPacketSize = limit })
        let actions = bench.session.uplinkUnreachable("the broker could not be reached: connection refused")
        #expect(fits(actions, limit) && actions.closesDevice)
        // Five bytes refuse the device without text.
        #expect(actions.toDevice.isEmpty == (limit < 5))

        var full = try SessionBench(.v5_0, overLimit: "2 devices are connected (limits.devices)")
        let refused = try full.device(full.connect { $0.properties.maximumPacketSize = limit })
        #expect(fits(refused, limit) && refused.toDevice.isEmpty == (limit < 5))
    }

    @Test(arguments: limits)
    func aFarewell(_ limit: UInt32) throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish { $0.properties.maximumPacketSize = limit }
        let actions = bench.session.timedOut(.keepAlive)
        #expect(fits(actions, limit) && actions.closesDevice)
        #expect(actions.toDevice.isEmpty == (limit < 3))
    }

    /// The bridge's own limit is left out of a CONNACK that has no room for it.
    @Test(arguments: limits)
    func theBridgesLimit(_ limit: UInt32) throws {
        var bench = try SessionBench(.v5_0, packetSize: 1_000)
        _ = try bench.device(bench.connect { $0.properties.maximumPacketSize = limit })
        _ = bench.session.uplinkReady()
        let actions = try bench.broker(.connack(Connack()))
        // The broker is responsible for what it sends.
        #expect(actions.toDevice.map(\.readableBytes) == [limit < 10 ? 5 : 10])
    }

    @Test(arguments: limits)
    func aClientIDOfTheBridges(_ limit: UInt32) throws {
        var bench = try SessionBench(.v5_0, routes: [Route(local: "a/#", remote: "${clientid}/#")])
        _ = try bench.device(
            bench.connect {
                $0.clientID = ""
                $0.properties.maximumPacketSize = limit
            })
        _ = bench.session.uplinkReady()
        let actions = try bench.broker(.connack(Connack()))
        #expect(fits(actions, limit))
        #expect(actions.closesDevice == (limit < 27))
    }

    @Test(arguments: limits)
    func answersOfTheRouter(_ limit: UInt32) throws {
        var bench = try SessionBench(.v5_0, routes: [Route(local: "a/#", remote: "b/#")], unrouted: .drop)
        try bench.establish { $0.properties.maximumPacketSize = limit }
        let dropped = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "c", packetID: 1), payload: ByteBuffer())
        #expect(fits(try bench.device(dropped), limit))
        let subscribe = Subscribe(packetID: 2, subscriptions: [Subscription(filter: "c"), Subscription(filter: "d")])
        #expect(fits(try bench.device(.subscribe(subscribe)), limit))
        #expect(fits(try bench.device(.unsubscribe(Unsubscribe(packetID: 3, filters: ["c", "d"]))), limit))
        // One filter was asked for, and one is answered here: the bridge makes the SUBACK, and the broker the text in
        // it.
        let mixed = Subscribe(packetID: 4, subscriptions: [Subscription(filter: "a/x"), Subscription(filter: "d")])
        _ = try bench.device(.subscribe(mixed))
        let suback = Suback(packetID: 4, properties: [.reasonString("granted as you asked for it")], codes: [0])
        #expect(fits(try bench.broker(.suback(suback)), limit))
    }

    /// The broker is answered as if the message had been delivered [MQTT-3.1.2-25].
    @Test func aMessageThatTheRouteMadeTooLong() throws {
        var bench = try SessionBench(.v5_0, routes: [Route(local: "a/long/name/#", remote: "b/#")])
        try bench.establish { $0.properties.maximumPacketSize = 12 }
        let message = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "b/x", packetID: 7), payload: ByteBuffer(string: "x"))
        let actions = try bench.broker(message)
        #expect(actions.toDevice.isEmpty && actions.toUplink == [ByteBuffer(bytes: [0x40, 2, 0, 7])])
    }

    /// The device has not learned what a topic alias stands for, if the message that would have told it was too long.
    @Test func theAliasOfAMessageThatIsTooLong() throws {
        var bench = try SessionBench(.v5_0, routes: [Route(local: "a/long/name/#", remote: "b/#")])
        try bench.establish {
            $0.properties.maximumPacketSize = 30
            $0.properties.topicAliasMaximum = 10
        }
        func message(_ topic: String, _ length: Int) -> Packet {
            .publish(
                PublishHead(topic: topic, properties: [.topicAlias(1)]),
                payload: ByteBuffer(repeating: 0x78, count: length))
        }
        #expect(try bench.broker(message("b/x", 18)).toDevice.isEmpty)
        for isFirst in [true, false] {
            var bytes = ByteBuffer()
            for part in try bench.broker(message("", 2)).toDevice { bytes.writeImmutableBuffer(part) }
            let (head, _) = try PublishHead.decode(Frame(packet: bytes, version: .v5_0), version: .v5_0)
            #expect(head.topic == (isFirst ? "a/long/name/x" : "") && head.properties.topicAlias == 1)
        }
    }

    @Test func aLongMessageThatTheRouteMadeTooLong() throws {
        var bench = try SessionBench(.v5_0, routes: [Route(local: "a/long/name/#", remote: "b/#")])
        try bench.establish { $0.properties.maximumPacketSize = 100_015 }
        let publish = PublishHead(qos: .atLeastOnce, topic: "b/x", packetID: 7)
        let head = try publish.encode(version: .v5_0, payloadLength: 100_000)
        let begin = StreamedPublish(head: head, flags: 0b0010, publish: publish, payloadLength: 100_000)
        #expect(head.readableBytes + 100_000 <= 100_015)
        #expect(bench.session.uplinkSent(.publishBegin(begin)).isEmpty)
        let last = bench.session.uplinkSent(.payload(ByteBuffer(repeating: 0, count: 100_000), isLast: true))
        #expect(last.toDevice.isEmpty && last.toUplink == [ByteBuffer(bytes: [0x40, 2, 0, 7])])
    }
}
