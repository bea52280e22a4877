import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// Devices whose data stream is lost with its connection.
@Suite struct DataStreamHoldTests {
    private func bench(_ version: MQTTVersion = .v5_0, isHeld: Bool = true) throws -> (DataStreamBench, HoldBudget) {
        let budget = HoldBudget(limit: 1_000_000)
        return (
            try DataStreamBench(version, hold: isHeld ? HoldPolicy(HoldConfiguration(), budget: budget) : nil), budget
        )
    }

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func allIsNewOnAnotherStream(_ version: MQTTVersion) throws {
        var (bench, budget) = try bench(version)
        try bench.establish()
        _ = try bench.device(.subscribe(Subscribe(packetID: 1, subscriptions: [Subscription(filter: "b")])))
        _ = try bench.broker(.suback(Suback(packetID: 1, codes: [0])))
        _ = try bench.device(.message("a", .atLeastOnce, 2))
        _ = try bench.device(.message("a", .exactlyOnce, 3))
        _ = try bench.broker(.ack(.pubrec, 3))
        _ = try bench.device(.ack(.pubrel, 3))
        let lost = bench.session.uplinkLost(.network(description: "idle"))
        #expect(lost.notes == [.held("idle")] && lost.opensDataStream != nil && !lost.closesDevice)
        #expect(try bench.down(bench.device(.pingreq)) == [.pingresp])
        #expect(try bench.device(.message("c")).isEmpty)
        #expect(bench.session.uplinkUnreachable("no route").opensDataStream != nil)
        let back = bench.session.uplinkReady(GatewayLimits())
        let up = try bench.up(back)
        guard case .subscribe(let own)? = up.first else {
            Issue.record("no SUBSCRIBE: \(up)")
            return
        }
        #expect(own.subscriptions.map(\.filter) == ["b"])
        #expect(up.dropFirst() == [.message("a", .atLeastOnce, 2), .message("c")])
        #expect(try bench.down(back) == [.ack(.pubcomp, 3)])
        #expect(try bench.broker(.suback(Suback(packetID: own.packetID, codes: [0]))).isEmpty)
        #expect(try bench.down(bench.broker(.ack(.puback, 2))) == [.ack(.puback, 2)])
        let left = try bench.device(.disconnect(Disconnect()))
        #expect(left.finishesUplink && bench.session.uplinkEnded().closesDevice && budget.usedBytes == 0)
    }

    /// The device repeats its message before it has read PUBREC, as 3.1 has it. The broker has passed the message on, and
    /// on the new stream it would do so again.
    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0], [true, false])
    func whatTheBrokerHasHadIsNotSentAgain(_ version: MQTTVersion, isHeldAgain: Bool) throws {
        for isLong in [false, true] {
            var (bench, budget) = try bench(version)
            try bench.establish()
            let message = Packet.message("a", .exactlyOnce, 3)
            _ = try bench.device(message)
            _ = try bench.broker(.ack(.pubrec, 3))
            _ = bench.session.uplinkLost(.network(description: "idle"))
            _ = bench.session.uplinkReady(GatewayLimits())
            if isHeldAgain { _ = bench.session.uplinkLost(.network(description: "idle")) }
            var again: [SessionAction] = []
            if isLong {
                again += bench.session.deviceSent(try bench.streamed("a", .exactlyOnce, 3, again: true))
                let piece = ByteBuffer(repeating: 0, count: 50_000)
                again += bench.session.deviceSent(.payload(piece, isLast: false))
                #expect(again.isEmpty)
                again += bench.session.deviceSent(.payload(piece, isLast: true))
            } else {
                again = try bench.device(message.again)
            }
            #expect(try bench.down(again) == [.ack(.pubrec, 3)] && again.toUplink.isEmpty)
            let released = try bench.device(.ack(.pubrel, 3))
            #expect(try bench.down(released) == [.ack(.pubcomp, 3)] && released.toUplink.isEmpty)
            #expect(budget.usedBytes == 0)
            guard !isHeldAgain else { continue }
            // The identifier is free for another message.
            #expect(try bench.up(bench.device(message)) == [message])
        }
    }

    /// The bridge's own answer for a flow that the broker has forgotten waits for the end of a long delivery.
    @Test func nothingLandsInsideALongDelivery() throws {
        var (bench, _) = try bench()
        try bench.establish()
        _ = try bench.device(.message("a", .exactlyOnce, 3))
        _ = try bench.broker(.ack(.pubrec, 3))
        _ = bench.session.uplinkLost(.network(description: "idle"))
        _ = bench.session.uplinkReady(GatewayLimits())
        _ = bench.session.uplinkSent(try bench.streamed("b"))
        #expect(try bench.device(.ack(.pubrel, 3)).isEmpty)
        let piece = ByteBuffer(string: "x")
        let end = bench.session.uplinkSent(.payload(piece, isLast: true)).toDevice
        #expect(end == [piece, ByteBuffer(bytes: [0x70, 2, 0, 3])])
    }

    @Test func closeIsAsBefore() throws {
        var (bench, _) = try bench(isHeld: false)
        try bench.establish()
        #expect(bench.session.uplinkLost(.network(description: "idle")).end == .uplinkLost("idle"))
    }

    @Test func theBrokersOwnEndIsPassedOn() throws {
        var (bench, _) = try bench()
        try bench.establish()
        #expect(bench.session.uplinkEnded().end == .brokerClosed)
    }

    @Test func silenceIsNotMeasured() throws {
        var (bench, _) = try bench()
        try bench.establish { $0.keepAlive = 10 }
        #expect(bench.session.uplinkSilent().started == [.hold])
        #expect(try bench.device(.message("a")).isEmpty)
        let answered = bench.session.uplinkAnswered(after: .seconds(1_000))
        #expect(try bench.up(answered) == [.message("a")] && answered.notes == [.resumed(.sameLeg)])
    }

    @Test func theWillOfAHeldDeviceGoesOnAnotherStream() throws {
        var (bench, budget) = try bench()
        try bench.establish { $0.will = Will(topic: "gone") }
        _ = bench.session.uplinkLost(.network(description: "idle"))
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let left = bench.session.deviceClosed()
        #expect(left.closesUplink && left.opensDataStream != nil && left.end == .deviceVanished)
        #expect(budget.usedBytes == 0)
        #expect(try bench.up(bench.session.uplinkReady(GatewayLimits())).count == 1)
    }

    @Test func theHoldTimeEndsIt() throws {
        var (bench, budget) = try bench()
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "idle"))
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        let end = bench.session.timedOut(.hold, detail: nil)
        #expect(end.end == .holdExpired("idle") && end.closesUplink && bench.session.isOver)
        #expect(budget.usedBytes == 0)
    }

    @Test func lessThanTheDeviceWasToldEndsIt() throws {
        var (bench, _) = try bench()
        try bench.establish()
        _ = bench.session.uplinkLost(.network(description: "idle"))
        var limits = GatewayLimits()
        limits.maximumQoS = .atLeastOnce
        #expect(bench.session.uplinkReady(limits).closesDevice)
    }

    @Test func aFullWindowIsNoDeadlock() throws {
        let budget = HoldBudget(limit: 1_000_000)
        let policy = HoldPolicy(HoldConfiguration(buffer: 200), budget: budget)
        var bench = try DataStreamBench(.v5_0, hold: policy)
        try bench.establish { $0.properties.receiveMaximum = 1 }
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.device(.message("a", .atLeastOnce, 2))
        #expect(!bench.session.acceptsDeviceInput)
        _ = try bench.broker(.message("b", .atLeastOnce, 1))
        // The broker's PUBACK may stand behind the next delivery, which waits for the device's PUBACK.
        #expect(!bench.session.acceptsUplinkInput && bench.session.acceptsDeviceInput)
        _ = try bench.device(.ack(.puback, 1))
        #expect(bench.session.acceptsUplinkInput && !bench.session.acceptsDeviceInput)
    }
}
