import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// How the longest packet is told to 5.0 devices.
@Suite struct PacketSizeTests {
    /// The device is told the lower limit of the bridge and the broker, and never more than the Remaining Length may
    /// be, which several clients refuse.
    @Test(
        arguments: [
            (1_000, nil, 1_000), (1_000, 500, 500), (1_000, 2_000, 1_000), (1_000, UInt32.max, 1_000),
            (268_435_455, nil, 268_435_455), (268_435_456, nil, 268_435_455), (268_435_459, nil, 268_435_455),
            (268_435_456, 1_048_576, 1_048_576), (268_435_459, .max, 268_435_455),
            // No packet can be longer, so nothing is limited here.
            (268_435_460, nil, nil), (.max, nil, nil), (268_435_460, 1_048_576, 1_048_576),
            (268_435_460, .max, .max),
        ] as [(Int, UInt32?, UInt32?)])
    func fiveIsToldThePacketSize(_ own: Int, _ brokers: UInt32?, _ told: UInt32?) throws {
        try expect(SessionBench(.v5_0, packetSize: own), tells: told, for: brokers)
    }

    /// - Parameter brokers: The limit in the broker's CONNACK.
    private func expect(_ fresh: SessionBench, tells told: UInt32?, for brokers: UInt32?) throws {
        var bench = fresh
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        var connack = Connack(sessionPresent: false, code: 0)
        connack.properties.maximumPacketSize = brokers
        let actions = try bench.broker(.connack(connack))
        connack.properties.maximumPacketSize = told
        #expect(actions.toDevice == [try Packet.connack(connack).encode(version: .v5_0)])
    }

    private static let up = Route(local: "t/#", remote: "a/b/c/${clientid}/t/#", direction: .up)
    private static let down = Route(local: "c/#", remote: "a/b/c/d/${clientid}/c/#", direction: .down)

    /// `${clientid}` is `dev`. A message may have a topic and a Response Topic, and two of its lengths may take a byte
    /// more.
    @Test(
        arguments: [
            ([up], 2_000, 2_000 - 10 - 10 - 2), ([down], 2_000, 2_000 - 12 - 2),
            ([up, down], 2_000, 2_000 - 10 - 12 - 2),
            ([up], 5_000, 4_978), ([up], 20_000, 10_000), ([up], 140, 128), ([up], 100, 100), ([up], nil, 10_000),
            ([Route(local: "t/#", remote: "t/#")], 2_000, 2_000),
            ([Route(local: "long/#", remote: "t/#")], 2_000, 2_000),
        ] as [([Route], UInt32?, UInt32?)])
    func thereIsRoomForWhatRoutesAdd(_ routes: [Route], _ brokers: UInt32?, _ told: UInt32?) throws {
        try expect(SessionBench(.v5_0, routes: routes, packetSize: 10_000), tells: told, for: brokers)
    }

    /// The longest message that the device may send, on the way to the broker.
    @Test(arguments: [400, 4_000, 40_000] as [UInt32])
    func aDeviceThatKeepsToItsLimitKeepsToTheBrokers(limit: UInt32) throws {
        var bench = try SessionBench(.v5_0, routes: [Self.up, Self.down])
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        var connack = Connack(sessionPresent: false, code: 0)
        connack.properties.maximumPacketSize = limit
        let answer = try #require(try bench.broker(.connack(connack)).toDevice.first)
        let told = try Connack.decode(try Frame(packet: answer, version: .v5_0), version: .v5_0).properties
        var head = PublishHead(qos: .atLeastOnce, topic: "t/x", packetID: 1)
        head.properties.responseTopic = "c/y"
        let empty = try Packet.publish(head, payload: ByteBuffer()).encode(version: .v5_0).readableBytes
        let most = Int(try #require(told.maximumPacketSize))
        // The Remaining Length of a longer packet takes one byte more, or two.
        for count in (most - empty - 2)...(most - empty) {
            let publish = Packet.publish(head, payload: ByteBuffer(repeating: 1, count: count))
            guard try publish.encode(version: .v5_0).readableBytes <= most else { continue }
            let sent = try bench.device(publish).toUplink.reduce(0) { $0 + $1.readableBytes }
            #expect(sent > most && sent <= Int(limit))
        }
    }

    /// With data streams, the bridge itself is the server that would refuse the packet.
    @Test func aDataStreamHasTheSameRoom() throws {
        var bench = try DataStreamBench(.v5_0, routes: [Self.up], packetSize: 5_000)
        #expect(try bench.establish().properties.maximumPacketSize == 4_978)
        var limits = GatewayLimits()
        limits.maximumPacketSize = 2_000
        bench = try DataStreamBench(.v5_0, routes: [Self.up], packetSize: 5_000)
        #expect(try bench.establish(limits).properties.maximumPacketSize == 1_978)
    }
}
