import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What a device is still sent after its last packet.
@Suite struct LastWordsTests {
    private static let puback = ByteBuffer(bytes: [0x40, 2, 0, 1])

    /// The ways in which a device's last packet may end, and what it is told in the end.
    private func lastWords(_ bench: inout SessionBench, _ way: String) throws -> [SessionAction] {
        switch way {
        case "DISCONNECT": try bench.device(.disconnect(Disconnect()))
        case "FIN": bench.session.deviceFinished()
        default:
            bench.session.deviceMisbehaved(
                MQTTError(.malformed, clause: "[MQTT-2.2.2-2]", message: "reserved"), start: ByteBuffer())
        }
    }

    @Test(arguments: ["DISCONNECT", "FIN", "malformed"], [MQTTVersion.v3_1_1, .v5_0])
    func answersComeBeforeTheClose(_ way: String, _ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish()
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let actions = try lastWords(&bench, way)
        #expect(actions.finishesUplink && !actions.closesDevice && actions.toDevice.isEmpty)
        #expect(!bench.session.acceptsDeviceInput)
        #expect(try bench.broker(.ack(.puback, 1)).toDevice == [Self.puback])
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesDevice && ended.closesUplink && ended.stopped == [.lastWords, .goodbye])
        #expect(ended.toDevice.count == (way == "malformed" && version == .v5_0 ? 1 : 0))
        #expect(ended.end == nil && bench.session.isOver)
    }

    /// What comes from the broker then is no reason to drop what the device has sent last.
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func aBrokerThatTalksNonsenseLeavesTheLastPacketsUnderWay(_ version: MQTTVersion) throws {
        var bench = try SessionBench(version)
        try bench.establish()
        #expect(try bench.device(.disconnect(Disconnect())).finishesUplink)
        let error = MQTTError(.malformed, clause: "[MQTT-2.2.2-2]", message: "reserved")
        let actions = bench.session.uplinkMisbehaved(error)
        #expect(actions.closesDevice && !actions.closesUplink && !bench.session.isOver)
        #expect(bench.session.timedOut(.goodbye).closesUplink && bench.session.isOver)
    }

    @Test func theBrokersPatienceIsBounded() throws {
        var bench = try SessionBench()
        try bench.establish()
        #expect(bench.session.deviceFinished().started.contains(.lastWords))
        let actions = bench.session.timedOut(.lastWords)
        #expect(actions.closesDevice && !actions.closesUplink && !bench.session.isOver)
        #expect(try bench.broker(.ack(.puback, 1)).isEmpty)
        #expect(bench.session.timedOut(.goodbye).closesUplink && bench.session.isOver)
    }

    @Test func nothingGoesUpBehindTheFIN() throws {
        // The bridge acknowledges a delivery that no route matches, but has no way to do so any more.
        var bench = try SessionBench(routes: [Route(local: "a/#", remote: "b/#")])
        try bench.establish()
        _ = bench.session.deviceFinished()
        #expect(try bench.broker(.message("elsewhere", .atLeastOnce, 3)).toUplink.isEmpty)
        #expect(try !bench.broker(.message("b/x")).toDevice.isEmpty)
    }

    @Test func aLongDeliveryIsBroughtToItsEnd() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        let head = PublishHead(topic: "a")
        let bytes = try head.encode(version: .v5_0, payloadLength: 100_000)
        let begin = StreamedPublish(head: bytes, flags: 0, publish: head, payloadLength: 100_000)
        _ = bench.session.uplinkSent(.publishBegin(begin))
        _ = bench.session.deviceMisbehaved(
            MQTTError(.malformed, clause: "[MQTT-2.2.2-2]", message: "reserved"), start: ByteBuffer())
        let piece = ByteBuffer(string: "x")
        #expect(bench.session.uplinkSent(.payload(piece, isLast: false)).toDevice == [piece])
        // Nothing can follow a delivery that was cut off.
        let lost = bench.session.uplinkLost(.network(description: "idle"))
        #expect(lost.closesDevice && lost.toDevice.isEmpty && bench.session.isOver)
    }

    @Test func theBrokersOwnEndIsTheLast() throws {
        var bench = try SessionBench(.v5_0)
        try bench.establish()
        _ = try bench.device(.disconnect(Disconnect()))
        let actions = try bench.broker(.disconnect(Disconnect(reasonCode: 0x8E)))
        #expect(actions.toDevice.count == 1 && actions.closesDevice && actions.closesUplink)
        #expect(actions.end == nil && bench.session.isOver)
    }

    @Test func aDeviceThatGoesMeanwhileNeedsNoAnswers() throws {
        var bench = try SessionBench()
        try bench.establish()
        _ = bench.session.deviceFinished()
        #expect(bench.session.deviceClosed().stopped == [.lastWords])
        #expect(try bench.broker(.ack(.puback, 1)).isEmpty)
        #expect(bench.session.uplinkEnded().closesUplink && bench.session.isOver)
    }

    @Test func connackIsWaitedFor() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        #expect(bench.session.deviceFinished().started == [.lastWords])
        #expect(bench.session.uplinkReady().toUplink.count == 1)
        let actions = try bench.broker(.connack(Connack()))
        #expect(actions.toDevice.count == 1 && actions.finishesUplink && actions.end == .deviceVanished)
        #expect(bench.session.uplinkEnded().closesDevice && bench.session.isOver)
    }

    @Test func connackIsNotWaitedForForEver() throws {
        var bench = try SessionBench()
        _ = try bench.device(bench.connect())
        _ = bench.session.deviceFinished()
        let actions = bench.session.timedOut(.lastWords)
        #expect(actions.end == .unansweredAtTheEnd && actions.closesDevice && actions.closesUplink)
        #expect(bench.session.isOver)
    }

    @Test func withoutABrokerThereAreNoAnswers() throws {
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        var bench = try SessionBench(hold: hold)
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "idle"))
        let actions = bench.session.deviceFinished()
        #expect(actions.end == .deviceVanished && actions.closesDevice && actions.closesUplink)
    }
}

/// The same for devices whose server is the bridge.
@Suite struct DataStreamLastWordsTests {
    @Test(arguments: [false, true])
    func answersComeBeforeTheClose(hasWill: Bool) throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.will = hasWill ? Will(topic: "w", qos: .atLeastOnce) : nil }
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let actions = bench.session.deviceFinished()
        #expect(!actions.closesDevice && actions.finishesUplink != hasWill)
        #expect(try bench.down(bench.broker(.ack(.puback, 1))) == [.ack(.puback, 1)])
        if hasWill {
            // The answer to the will is for the bridge.
            guard case .publish(let will, _)? = try bench.up(actions).first else { throw WillMissing() }
            let answered = try bench.broker(.ack(.puback, try #require(will.packetID)))
            #expect(answered.finishesUplink && answered.toDevice.isEmpty)
        }
        #expect(bench.session.uplinkEnded().closesDevice && bench.session.isOver)
    }

    private struct WillMissing: Error {}

    @Test func connackIsWaitedFor() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect())
        #expect(bench.session.deviceFinished().started == [.lastWords])
        let actions = bench.session.uplinkReady(GatewayLimits())
        #expect(actions.toDevice.count == 1 && actions.finishesUplink)
        #expect(bench.session.uplinkEnded().closesDevice && bench.session.isOver)
    }

    /// No acknowledgement makes room for more than the device's Receive Maximum any more.
    @Test func deliveriesStayWithinTheDevicesLimit() throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.receiveMaximum = 1 }
        #expect(try bench.broker(.message("a", .atLeastOnce, 1)).toDevice.count == 1)
        _ = bench.session.deviceFinished()
        #expect(try bench.broker(.message("a", .atLeastOnce, 2)).isEmpty)
        #expect(bench.session.timedOut(.lastWords).closesDevice)
    }
}
