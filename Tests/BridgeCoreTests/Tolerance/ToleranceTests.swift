import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// The broker judges what devices send, not the bridge.
@Suite struct ToleranceTests {
    static let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1 << 20))
    static let routes = [Route(local: "a/#", remote: "b/#")]

    // MARK: Connected

    @Test(arguments: OddPacket.connected)
    func oddPacketsPassAsTheyCame(_ odd: OddPacket) throws {
        for hold in [nil, Self.hold] {
            var bench = try SessionBench(odd.version, hold: hold)
            // The device asks for an expiry of its own, so the bridge asks for none, and changes no DISCONNECT.
            try bench.establish { $0.properties.sessionExpiryInterval = odd.version == .v5_0 ? 60 : nil }
            let actions = try bench.device(odd.bytes)
            #expect(actions.toUplink == [odd.buffer])
            #expect(actions.toDevice.isEmpty && actions.end == nil)
            // The session continues.
            #expect(try bench.device(.pingreq).toUplink.count == 1)
        }
    }

    /// Whatever the broker says to such a packet is its answer.
    @Test(arguments: OddPacket.connected)
    func theVerdictComesBack(_ odd: OddPacket) throws {
        var bench = try SessionBench(odd.version, hold: Self.hold)
        try bench.establish()
        _ = try bench.device(odd.bytes)
        let isNew = odd.version == .v5_0
        for answer: [UInt8] in [
            isNew ? [0x90, 3, 0, 1, 0] : [0x90, 2, 0, 1], isNew ? [0xB0, 4, 0, 1, 0, 0x80] : [0xB0, 2, 0, 1],
            [0x40, 2, 0, 1], [0x70, 2, 0, 1], [0xD0, 0],
        ] {
            let actions = try bench.broker(answer)
            #expect(actions.toDevice == [ByteBuffer(bytes: answer)] && actions.end == nil)
        }
        guard isNew else { return }
        let actions = try bench.broker([0xE0, 1, 0x81])
        #expect(actions.toDevice == [ByteBuffer(bytes: [0xE0, 1, 0x81])])
        #expect(actions.end == .brokerDisconnected(code: 0x81))
    }

    /// While there is no leg, a packet that can't be read waits in its place as it came.
    @Test(arguments: OddPacket.connected)
    func whileHeldItWaitsInItsPlace(_ odd: OddPacket) throws {
        // These are answered here, kept by their meaning, or end the session.
        let isUnderstood = [0xC, 0xE, 0x4, 0x5, 0x7, 0x6].contains(odd.bytes[0] >> 4) && odd.bytes.suffix(2) != [0, 0]
        guard !isUnderstood else { return }
        var bench = try SessionBench(odd.version, hold: Self.hold)
        try bench.establish { $0.cleanStart = false }
        _ = bench.session.uplinkLost(.network(description: "idle"))
        let actions = try bench.device(odd.bytes)
        #expect(actions.toUplink.isEmpty && actions.toDevice.isEmpty && actions.end == nil)
        let message = Packet.publish(PublishHead(topic: "behind"), payload: ByteBuffer())
        #expect(try bench.device(message).toUplink.isEmpty)
        _ = bench.session.uplinkReady()
        let back = try bench.broker(.connack(Connack(sessionPresent: odd.version != .v3_1)))
        #expect(back.toUplink == [odd.buffer, try message.encode(version: odd.version)])
    }

    @Test func aPingWithABodyIsAnsweredHereWhileHeld() throws {
        var bench = try SessionBench(hold: Self.hold)
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "idle"))
        #expect(try bench.device([0xC1, 1, 0]).toDevice == [ByteBuffer(bytes: [0xD0, 0])])
    }

    @Test func aSessionThatConnectedAgainIsNotHeld() throws {
        var bench = try SessionBench(hold: Self.hold)
        try bench.establish()
        _ = try bench.device(bench.connect())
        // A broker that let it pass would answer like this.
        #expect(try bench.broker([0x20, 2, 0, 0]).toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 0])])
        let actions = bench.session.uplinkLost(.network(description: "idle"))
        #expect(actions.end == .uplinkLost("idle", .lastPacket) && actions.closesDevice)
    }

    /// What the broker granted for an odd SUBSCRIBE is asked for again, if it can be told what that was.
    @Test func anOddSubscriptionIsKept() throws {
        var bench = try SessionBench(hold: Self.hold)
        try bench.establish()
        for subscribe: [UInt8] in [[0x82, 6, 0, 1, 0, 1, 0x61, 0xFD], [0x82, 6, 0, 2, 0, 1, 0xFF, 0]] {
            _ = try bench.device(subscribe)
            #expect(try bench.broker([0x90, 3, 0, subscribe[3], 1]).toDevice.count == 1)
        }
        _ = bench.session.uplinkLost(.network(description: "idle"))
        _ = bench.session.uplinkReady()
        let back = try bench.broker(.connack(Connack()))
        let frame = try Frame(packet: try #require(back.toUplink.first), version: .v3_1_1)
        let filters = try Subscribe.decode(frame, version: .v3_1_1).subscriptions.map(\.filter)
        #expect(filters == ["a"] && back.toUplink.count == 1 && back.end == nil)
    }

    @Test func aLongPublishThatCantBeReadPasses() throws {
        for hold in [nil, Self.hold] {
            var bench = try SessionBench(.v5_0, hold: hold)
            try bench.establish()
            let start = ByteBuffer(bytes: [0x30, 0x80, 0x80, 4, 0, 1, 0xFF])
            let error = MQTTError(.malformed, clause: "", message: "")
            let begin = UnreadPublish(start: start, restLength: 65_533, error: error)
            #expect(bench.session.deviceSent(.unreadBegin(begin)).toUplink == [start])
            let piece = ByteBuffer(string: "piece")
            #expect(bench.session.deviceSent(.payload(piece, isLast: true)).toUplink == [piece])
            #expect(bench.session.uplinkSent(.unreadBegin(begin)).toDevice == [start])
            #expect(bench.session.uplinkSent(.payload(piece, isLast: true)).toDevice == [piece])
            #expect(try bench.device(.pingreq).toUplink.count == 1)
        }
    }

    /// An alias above the maximum is for the broker to refuse (0x94), and hold must not hide it.
    @Test func anAliasThatIsNotAllowedReachesTheBroker() throws {
        var bench = try SessionBench(.v5_0, hold: Self.hold)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        _ = try bench.broker(.connack(Connack(properties: [.topicAliasMaximum(10)])))
        for (alias, topic) in [(11, "a"), (0, "a"), (3, "")] as [(UInt8, String)] {
            let body = [0, UInt8(topic.utf8.count)] + Array(topic.utf8) + [3, 0x23, 0, alias]
            let bytes: [UInt8] = [0x30, UInt8(body.count)] + body
            #expect(try bench.device(bytes).toUplink == [ByteBuffer(bytes: bytes)])
        }
    }

    // MARK: From the broker

    @Test(
        arguments: [
            [0x30, 6, 0, 1, 0x61, 2, 1, 2], [0x30, 8, 0, 1, 0x61, 4, 8, 0, 1, 0x23], [0x32, 6, 0, 1, 0xFF, 0, 1, 0],
            [0x32, 6, 0, 1, 0x61, 0, 0, 0],
        ] as [[UInt8]])
    func whatOthersPublishedPasses(_ bytes: [UInt8]) throws {
        for hold in [nil, Self.hold] {
            var bench = try SessionBench(.v5_0, hold: hold)
            try bench.establish()
            let actions = try bench.broker(bytes)
            #expect(actions.toDevice == [ByteBuffer(bytes: bytes)] && actions.end == nil)
        }
    }

    @Test func whereNoRouteCanBeFoundForItItIsTakenOffTheBrokersHands() throws {
        var bench = try SessionBench(.v3_1_1, routes: Self.routes)
        try bench.establish()
        let acknowledged = [ByteBuffer(bytes: [0x40, 2, 0, 7])]
        let actions = try bench.broker([0x32, 6, 0, 1, 0xFF, 0, 7, 0x78])
        #expect(actions.toDevice.isEmpty && actions.end == nil && actions.toUplink == acknowledged)
        let start = ByteBuffer(bytes: [0x32, 0x80, 0x80, 4, 0, 1, 0xFF, 0, 7])
        let long = bench.session.uplinkSent(.unreadBegin(UnreadPublish(start: start, restLength: 9, error: nil)))
        #expect(long.isEmpty)
        let end = bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true))
        #expect(end.toDevice.isEmpty && end.toUplink == acknowledged)
    }
}
