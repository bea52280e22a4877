import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

// Wills with a delay.
extension DataStreamWillTests {
    private static let delays: [(delay: UInt32?, expiry: UInt32?, due: UInt32)] = [
        (nil, 60, 0), (0, 60, 0), (10, nil, 0), (10, 0, 0), (10, 60, 10), (60, 10, 10), (10, .max, 10),
        (100_000, .max, 300),
    ]

    @Test(arguments: delays.indices)
    func howLong(_ index: Int) throws {
        let (delay, expiry, due) = Self.delays[index]
        var bench = try bench(delay: delay, expiry: expiry)
        let actions = bench.session.deviceClosed()
        #expect(actions.lingers == (due == 0 ? nil : .seconds(Int64(due))))
        // The will that is published carries no delay.
        #expect(try bench.up(actions) == (due == 0 ? [publish()] : []))
        #expect(actions.finishesUplink)
    }

    @Test(arguments: [(UInt32?.none, UInt32(10)), (0, 0), (5, 5), (100, 10)])
    func aSessionThatDisconnectMakesShorter(_ expiry: UInt32?, _ due: UInt32) throws {
        var bench = try bench(delay: 10, expiry: 60)
        var disconnect = Disconnect(reasonCode: 0x04)
        disconnect.properties.sessionExpiryInterval = expiry
        let actions = try bench.device(.disconnect(disconnect))
        #expect(actions.lingers == (due == 0 ? nil : .seconds(Int64(due))))
        #expect(actions.toUplink.isEmpty == (due > 0))
    }

    /// MQTT 5 3.14.2.2.2.
    @Test func aSessionThatDisconnectMayNotMake() throws {
        for expiry in [UInt32?.none, 0] {
            var bench = try bench(expiry: expiry)
            var disconnect = Disconnect()
            disconnect.properties.sessionExpiryInterval = 60
            let actions = try bench.device(.disconnect(disconnect)) + bench.session.uplinkEnded()
            #expect(try bench.farewell(actions) == 0x82)
            // The will is due.
            #expect(try bench.up(actions) == [publish()])
        }
    }

    @Test func theStreamIsGivenBackMeanwhile() throws {
        var bench = try bench(qos: .atLeastOnce, delay: 10, expiry: 60)
        let left = bench.session.deviceClosed()
        #expect(left.finishesUplink && left.started == [.goodbye])
        if case .linger = left.last {} else { Issue.record("linger is not the last") }
        #expect(try bench.broker(.message("a")).isEmpty)
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesUplink && ended.opensDataStream == nil && !bench.session.isOver)
        let due = bench.session.timedOut(.willDelay)
        #expect(due.opensDataStream == .v5_0 && due.started == [.uplinkConnect])
        #expect(try bench.up(bench.session.uplinkReady(GatewayLimits())) == [publish(qos: .atLeastOnce, id: 1)])
    }

    @Test func dueBeforeTheOldStreamHasEnded() throws {
        var bench = try bench(delay: 1, expiry: 60)
        _ = bench.session.deviceClosed()
        #expect(bench.session.timedOut(.willDelay).isEmpty)
        #expect(bench.session.uplinkLost(.network(description: "idle")).opensDataStream == .v5_0)
    }

    @Test func theDeviceComesBackInTime() throws {
        for isLegOpen in [true, false] {
            var bench = try bench(delay: 10, expiry: 60)
            _ = bench.session.deviceClosed()
            if !isLegOpen { _ = bench.session.uplinkEnded() }
            let actions = bench.session.takenOver(byContinuation: true)
            #expect(actions.stopped == [.willDelay] && actions.opensDataStream == nil)
            #expect(bench.session.isOver == !isLegOpen)
            if isLegOpen { #expect(bench.session.uplinkEnded().closesUplink && bench.session.isOver) }
            #expect(bench.session.timedOut(.willDelay).isEmpty)
        }
    }

    @Test func theDeviceComesBackAndWantsNothingOfIt() throws {
        var bench = try bench(delay: 10, expiry: 60)
        _ = bench.session.deviceClosed()
        _ = bench.session.uplinkEnded()
        let actions = bench.session.takenOver(byContinuation: false)
        #expect(actions.stopped == [.willDelay] && actions.opensDataStream == .v5_0)
    }

    @Test(arguments: [true, false])
    func aLivingDeviceIsTakenOver(_ byContinuation: Bool) throws {
        var bench = try bench(delay: 10, expiry: 60)
        let actions = bench.session.takenOver(byContinuation: byContinuation)
        #expect(try bench.farewell(actions) == 0x8E)
        #expect(actions.lingers == nil && actions.finishesUplink && actions.closesDevice)
        #expect(try bench.up(actions) == (byContinuation ? [] : [publish()]))
    }

    @Test func shutdownIsTheLastChance() throws {
        var bench = try bench(delay: 10, expiry: 60)
        _ = bench.session.deviceClosed()
        _ = bench.session.uplinkEnded()
        let actions = bench.session.shutDown()
        #expect(actions.stopped == [.willDelay] && actions.opensDataStream == .v5_0)
        #expect(bench.session.shutDown().isEmpty)
    }

    @Test func connectsBufferIsNotKept() throws {
        var bench = try DataStreamBench()
        var connect = Connect(version: .v5_0, clientID: "dev", will: Self.will)
        connect.properties = [.userProperty(name: "large", value: String(repeating: "x", count: 60_000))]
        _ = try bench.device(.connect(connect))
        _ = bench.session.uplinkReady(GatewayLimits())
        let packet = try #require(bench.session.deviceClosed().toUplink.first)
        #expect(packet.storageCapacity < 512)
    }
}
