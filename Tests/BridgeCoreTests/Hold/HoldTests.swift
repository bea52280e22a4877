import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// A session whose uplink leg is lost and comes back.
@Suite struct HoldTests {
    private static let versions: [MQTTVersion] = [.v3_1, .v3_1_1, .v5_0]

    @Test(arguments: versions)
    func aLossIsNotTheDevicesMatter(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version)
        let lost = try bench.lose()
        #expect(lost.end == nil && lost.opens && lost.down.isEmpty && !lost.actions.closesDevice)
        #expect(lost.notes == [.held("idle")])
        #expect(lost.actions.started == [.hold])
        #expect(bench.accepts)
        let back = try bench.comeBack(false)
        #expect(back.notes == [.resumed(.newLeg(isSessionPresent: false, resent: 0))])
        #expect(back.actions.stopped.contains(.hold) && back.down.isEmpty)
        #expect(try bench.device(.message("a")).up == [.message("a")])
    }

    @Test(arguments: versions)
    func closeIsAsBefore(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version, isHeld: false)
        let lost = try bench.lose()
        #expect(lost.end == .uplinkLost("idle") && lost.actions.closesDevice && !lost.opens)
    }

    @Test(arguments: versions)
    func messagesGoAgain(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version) { $0.cleanStart = false }
        let first = Packet.message("a", .atLeastOnce, 1)
        let second = Packet.message("b", .exactlyOnce, 2)
        _ = try bench.device(first)
        _ = try bench.device(second)
        try bench.lose()
        #expect(try bench.device(.message("c")).up.isEmpty)
        #expect(try bench.device(.message("d", .atLeastOnce, 3)).up.isEmpty)
        let back = try bench.comeBack(version != .v3_1)
        #expect(
            back.up == [first.again, second.again, .message("c"), .message("d", .atLeastOnce, 3)])
        #expect(try bench.broker(.ack(.puback, 1)).down == [.ack(.puback, 1)])
        #expect(try bench.broker(.ack(.pubrec, 2)).down == [.ack(.pubrec, 2)])
        #expect(try bench.device(.ack(.pubrel, 2)).up == [.ack(.pubrel, 2)])
        #expect(try bench.broker(.ack(.pubcomp, 2)).down == [.ack(.pubcomp, 2)])
        #expect(try bench.broker(.ack(.puback, 3)).down == [.ack(.puback, 3)])
        #expect(bench.budget.usedBytes == 0)
    }

    @Test(arguments: versions)
    func aNewSessionIsToldEverything(_ version: MQTTVersion) throws {
        var bench = try HoldBench.connected(version)
        let subscription = Subscribe(
            packetID: 1, subscriptions: [Subscription(filter: "b/#", qos: .atLeastOnce), Subscription(filter: "c")])
        _ = try bench.device(.subscribe(subscription))
        _ = try bench.broker(.suback(Suback(packetID: 1, codes: [1, 0])))
        let message = Packet.message("a", .atLeastOnce, 2)
        _ = try bench.device(message)
        try bench.lose()
        let back = try bench.comeBack(false)
        guard case .subscribe(let again)? = back.up.first else {
            Issue.record("no SUBSCRIBE")
            return
        }
        #expect(again.subscriptions.map(\.filter) == ["b/#", "c"])
        #expect(again.subscriptions.map(\.qos) == [.atLeastOnce, .atMostOnce])
        #expect(again.subscriptions.allSatisfy { $0.retainHandling == 0 })
        #expect(back.up.dropFirst() == [message])
        #expect(try bench.broker(.suback(Suback(packetID: again.packetID, codes: [1, 0]))).down.isEmpty)
    }
}
