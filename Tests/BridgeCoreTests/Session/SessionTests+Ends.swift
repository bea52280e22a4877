import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// Ends, violations and long packets.
extension SessionTests {
    @Test func disconnectPassesAndFinishes() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = try bench.device(.disconnect(Disconnect()))
        #expect(actions.toUplink == [ByteBuffer(bytes: [0xE0, 0])])
        #expect(actions.finishesUplink && !actions.closesDevice)
        #expect(actions.end == .deviceDisconnected)
        #expect(!bench.session.isOver)
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesUplink && ended.closesDevice && ended.toDevice.isEmpty)
        #expect(bench.session.isOver)
    }

    @Test func aVanishedDeviceIsAFINWithoutDISCONNECT() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = bench.session.deviceClosed()
        #expect(actions.toUplink.isEmpty && actions.finishesUplink)
        #expect(actions.end == .deviceVanished)
    }

    @Test func aDeviceThatLeavesBeforeItsConnectWentOutCostsTheBrokerNothing() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        let actions = bench.session.deviceClosed()
        #expect(actions.closesUplink && !actions.finishesUplink)
        #expect(bench.session.isOver)
    }

    @Test func theGoodbyeEnds() throws {
        var bench = try SessionBench()
        try bench.establish()
        _ = bench.session.deviceClosed()
        #expect(bench.session.timedOut(.goodbye).closesUplink)
        #expect(bench.session.isOver)
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func keepAliveExpiry(_ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish { $0.keepAlive = 5 }
        let actions = bench.session.timedOut(.keepAlive)
        #expect(actions.end == .keepAliveExpired)
        #expect(actions.finishesUplink && actions.toUplink.isEmpty && actions.closesDevice)
        #expect(actions.toDevice.isEmpty == (version != .v5_0))
    }

    @Test func theBrokersDisconnectReachesTheDeviceAsItIs() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let takenOver = Packet.disconnect(Disconnect(reasonCode: 0x8E))
        let actions = try bench.broker(takenOver)
        #expect(actions.toDevice == [try takenOver.encode(version: .v5_0)])
        #expect(actions.end == .brokerDisconnected(code: 0x8E))
        #expect(actions.closesDevice && actions.closesUplink)
    }

    @Test func theBrokersFINClosesTheDevice() throws {
        var bench = try SessionBench()
        try bench.establish()
        let actions = bench.session.uplinkEnded()
        #expect(actions.end == .brokerClosed)
        #expect(actions.closesDevice && actions.closesUplink)
        #expect(bench.session.isOver)
    }

    @Test(arguments: [
        (UplinkLoss.byBroker(reasonCode: nil, description: ""), UInt8?.none),
        (.byBroker(reasonCode: 0x8E, description: ""), 0x8E), (.network(description: "idle"), 0x80),
    ])
    func lossTellsFive(_ loss: UplinkLoss, _ code: UInt8?) throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let actions = bench.session.uplinkLost(loss)
        let said = try actions.toDevice.first.map {
            try Disconnect.decode(try Frame(packet: $0, version: .v5_0), version: .v5_0).reasonCode
        }
        #expect(said == code)
        #expect(actions.closesDevice && bench.session.isOver)
    }

    @Test func shutdownTellsBothSides() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let actions = bench.session.shutDown()
        let toDevice = try Frame(packet: try #require(actions.toDevice.first), version: .v5_0)
        #expect(try Disconnect.decode(toDevice, version: .v5_0).reasonCode == 0x8B)
        let toUplink = try Frame(packet: try #require(actions.toUplink.first), version: .v5_0)
        #expect(toUplink.type == .disconnect)
        #expect(actions.finishesUplink && actions.closesDevice)
    }

    /// The broker sees a lost connection, which makes it publish the will, and never a new one.
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func anOperatorRemovesTheDevice(version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish()
        let actions = bench.session.removedByOperator()
        #expect(actions.end == .removedByOperator && actions.closesDevice && actions.finishesUplink)
        #expect(actions.toUplink.isEmpty)
        let said = try actions.toDevice.map {
            try Disconnect.decode(try Frame(packet: $0, version: version), version: version).reasonCode
        }
        #expect(said == (version == .v5_0 ? [0x98] : []))
        _ = bench.session.uplinkEnded()
        #expect(bench.session.isOver)
    }

    @Test func aHeldDeviceThatIsRemovedAsksForNoOtherLeg() throws {
        var bench = try SessionBench(.v5_0, hold: HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1 << 20)))
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "gone"))
        #expect(bench.session.report.problem == "gone")
        let actions = bench.session.removedByOperator()
        #expect(actions.end == .removedByOperator && actions.closesDevice && bench.session.isOver)
    }

    // MARK: Violations

    @Test func theFirstPacketHasToBeCONNECT() throws {
        var bench = try SessionBench()
        let actions = try bench.device(.pingreq)
        #expect(actions.closesDevice && actions.toDevice.isEmpty && bench.session.isOver)
    }

    @Test(arguments: [("\u{16}\u{03}\u{01}", "TLS"), ("GET / HTTP/1.1", "HTTP"), ("PROXY TCP4 ", "PROXY")])
    func whatIsNoMQTTIsNamed(_ start: String, _ name: String) throws {
        var bench = try SessionBench()
        let error = MQTTError(.malformed, clause: "[MQTT-2.2.2-2]", message: "reserved")
        let actions = bench.session.deviceMisbehaved(error, start: ByteBuffer(string: start))
        #expect("\(try #require(actions.end))".contains(name))
        #expect(actions.closesDevice && bench.session.isOver)
    }

    @Test func aBrokerThatTalksBeforeConnack() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        let actions = try bench.broker(.pingresp)
        guard case .brokerViolation = actions.end else {
            Issue.record("accepted: \(actions)")
            return
        }
        #expect(actions.toDevice == [ByteBuffer(bytes: [0x20, 2, 0, 3])])
        #expect(actions.closesUplink)
    }

    @Test func enhancedAuthenticationPasses() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        var auth = Auth(reasonCode: 0x18)
        auth.properties.authenticationMethod = "SCRAM"
        #expect(try bench.broker(.auth(auth)).toDevice.count == 1)
        #expect(bench.session.acceptsDeviceInput)
        #expect(try bench.device(.auth(auth)).toUplink.count == 1)
        #expect(try bench.broker(.connack(Connack(sessionPresent: false, code: 0))).toDevice.count == 1)
    }

    @Test func aDeviceThatGivesUpItsAuthenticationIsToldNothing() throws {
        var bench = try SessionBench(.v5_0)
        _ = try bench.device(bench.connect())
        _ = bench.session.uplinkReady()
        _ = try bench.broker(.auth(Auth(reasonCode: 0x18)))
        let actions = try bench.device(.disconnect(Disconnect()))
        #expect(actions.toDevice.isEmpty && actions.closesDevice)
        #expect(actions.toUplink.count == 1 && actions.finishesUplink)
    }

    // MARK: Long packets

    private func streamed(_ topic: String, _ qos: QoS, _ id: UInt16?, _ version: MQTTVersion) throws
        -> FrameDecoder.Element
    {
        let publish = PublishHead(qos: qos, topic: topic, packetID: id)
        let head = try publish.encode(version: version, payloadLength: 100_000)
        return .publishBegin(
            StreamedPublish(head: head, flags: UInt8(qos.rawValue << 1), publish: publish, payloadLength: 100_000))
    }

    @Test func ourOwnPacketsWaitForTheEndOfALongOne() throws {
        // The bridge acknowledges dropped publishes of the device, but not in the middle of a delivery.
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        #expect(bench.session.uplinkSent(try streamed("a/x", .atMostOnce, nil, .v3_1_1)).toDevice.count == 1)
        let dropped = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "elsewhere", packetID: 7), payload: ByteBuffer(string: "x"))
        #expect(try bench.device(dropped).toDevice.isEmpty)
        let piece = ByteBuffer(string: "piece")
        #expect(bench.session.uplinkSent(.payload(piece, isLast: false)).toDevice == [piece])
        let last = bench.session.uplinkSent(.payload(piece, isLast: true)).toDevice
        #expect(last == [piece, ByteBuffer(bytes: [0x40, 2, 0, 7])])
    }

    /// A device that sends without reading its long message is not answered without bound.
    @Test func answersThatWaitAreBounded() throws {
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        _ = bench.session.uplinkSent(try streamed("a/x", .atMostOnce, nil, .v3_1_1))
        let dropped = Packet.publish(
            PublishHead(qos: .atLeastOnce, topic: "elsewhere", packetID: 7), payload: ByteBuffer(string: "x"))
        var count = 0
        while bench.session.acceptsDeviceInput, count < 100_000 {
            _ = try bench.device(dropped)
            count += 1
        }
        #expect(count == PacketStream.maximumHeld)
        let last = bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true))
        #expect(last.toDevice.count == count + 1 && bench.session.acceptsDeviceInput)
    }

    @Test func aDroppedLongPublishIsAcknowledgedAtItsEnd() throws {
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "a/#")], unrouted: .drop)
        try bench.establish()
        #expect(bench.session.deviceSent(try streamed("elsewhere", .atLeastOnce, 9, .v3_1_1)).isEmpty)
        let piece = ByteBuffer(string: "piece")
        #expect(bench.session.deviceSent(.payload(piece, isLast: false)).toUplink.isEmpty)
        let last = bench.session.deviceSent(.payload(piece, isLast: true))
        #expect(last.toUplink.isEmpty)
        #expect(last.toDevice == [ByteBuffer(bytes: [0x40, 2, 0, 9])])
    }

    @Test func shutdownInsideALongPacketSaysNothingThatWouldLandInIt() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        _ = bench.session.deviceSent(try streamed("a", .atMostOnce, nil, .v5_0))
        _ = bench.session.uplinkSent(try streamed("a", .atMostOnce, nil, .v5_0))
        let actions = bench.session.shutDown()
        #expect(actions.toUplink.isEmpty && actions.toDevice.isEmpty)
        #expect(actions.finishesUplink && actions.closesDevice)
    }
}
