import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// How sessions without a will end, and what the device is told.
@Suite struct DataStreamEndTests {
    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func disconnectIsAFIN(_ version: MQTTVersion) throws {
        var bench = try DataStreamBench(version)
        try bench.establish { $0.will = Will(topic: "w") }
        let actions = try bench.device(.disconnect(Disconnect()))
        // A DISCONNECT on the stream would reset it, and so lose what came before.
        #expect(actions.toUplink.isEmpty && actions.toDevice.isEmpty)
        #expect(actions.finishesUplink && !actions.closesDevice && actions.end == .deviceDisconnected)
        #expect(actions.started == [.lastWords, .goodbye] && actions.stopped == [.keepAlive])
        #expect(!bench.session.isOver)
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesDevice && ended.closesUplink && ended.stopped == [.lastWords, .goodbye])
        #expect(ended.end == nil && bench.session.isOver)
    }

    @Test func theGoodbyeEnds() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        _ = bench.session.deviceClosed()
        #expect(bench.session.timedOut(.goodbye).closesUplink && bench.session.isOver)
        bench = try DataStreamBench()
        try bench.establish()
        _ = bench.session.deviceClosed()
        let lost = bench.session.uplinkLost(.network(description: "idle"))
        #expect(!lost.closesUplink && lost.stopped == [.goodbye] && bench.session.isOver)
    }

    private static let ends: [(event: String, code: UInt8?)] = [
        ("keepAlive", 0x8D), ("takenOver", 0x8E), ("FIN", 0x8B), ("reset", 0x8B), ("refused", 0x8B), ("0x8E", 0x8B),
        ("network", 0x8B),
        ("garbage", 0x8B), ("DISCONNECT", 0x8B), ("shutDown", 0x8B),
    ]

    private func perform(_ event: String, _ bench: inout DataStreamBench) throws -> [SessionAction] {
        switch event {
        case "keepAlive": bench.session.timedOut(.keepAlive)
        case "takenOver": bench.session.takenOver(byContinuation: false)
        case "FIN": bench.session.uplinkEnded()
        case "reset": bench.session.uplinkLost(.byBroker(reasonCode: nil, description: "reset"))
        case "refused": bench.session.uplinkLost(.dataStreamRefused(description: "reset"))
        case "0x8E": bench.session.uplinkLost(.byBroker(reasonCode: 0x8E, description: "taken over"))
        case "network": bench.session.uplinkLost(.network(description: "idle"))
        case "garbage": bench.session.uplinkMisbehaved(MQTTError(.malformed, clause: "c", message: "m"))
        case "DISCONNECT": try bench.broker(.disconnect(Disconnect(reasonCode: 0x8E)))
        default: bench.session.shutDown()
        }
    }

    @Test(arguments: ends.indices)
    func theDeviceIsToldWhy(_ index: Int) throws {
        let (event, code) = Self.ends[index]
        for version in [MQTTVersion.v3_1_1, .v5_0] where version == .v5_0 || event != "DISCONNECT" {
            var bench = try DataStreamBench(version)
            try bench.establish { $0.keepAlive = 5 }
            let actions = try perform(event, &bench)
            #expect(try bench.farewell(actions) == (version == .v5_0 ? code : nil))
            #expect(actions.closesDevice && actions.end != nil && !bench.session.acceptsDeviceInput)
            let hasLeg = ["keepAlive", "takenOver", "shutDown"].contains(event)
            #expect(actions.finishesUplink == hasLeg)
            #expect(actions.closesUplink == ["FIN", "garbage", "DISCONNECT"].contains(event))
            #expect(bench.session.isOver == !hasLeg)
            // The end comes once, and nothing after it.
            #expect(bench.session.deviceClosed().isEmpty && bench.session.shutDown().isEmpty)
            #expect(try bench.device(.pingreq).isEmpty)
        }
    }

    /// The operator has to be told what would be right.
    @Test(arguments: [false, true])
    func aBrokerWithoutDataStreamsIsNamedAsTheReason(_ isHeld: Bool) throws {
        let hold = HoldPolicy(HoldConfiguration(), budget: HoldBudget(limit: 1_000_000))
        var bench = try DataStreamBench(hold: isHeld ? hold : nil)
        try bench.establish()
        let actions = bench.session.uplinkLost(.dataStreamRefused(description: "reset"))
        let end = try #require(actions.end)
        #expect(end == .dataStreamRefused && end.importance == .fault)
        #expect("\(end)".contains("uplink.mapping mux") && ConnectOutcome(end, isLate: false) == .refusedByBrokerOther)
    }

    @Test func insideALongDeliveryTheDeviceIsToldNothing() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        _ = bench.session.uplinkSent(try bench.streamed("a"))
        let actions = bench.session.timedOut(.keepAlive)
        #expect(actions.toDevice.isEmpty && actions.closesDevice)
    }

    @Test func theWordsOfAFarewellThatDoNotFitAreLeftOut() throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.maximumPacketSize = 20 }
        #expect(bench.session.shutDown().toDevice == [ByteBuffer(bytes: [0xE0, 1, 0x8B])])
    }

    @Test func aTakeoverBeforeTheStreamIsThere() throws {
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect())
        let actions = bench.session.takenOver(byContinuation: false)
        #expect(try bench.connack(actions).code == 0x88)
        #expect(actions.end == .takenOver && actions.closesUplink && bench.session.isOver)
    }

    @Test(arguments: [(MQTTVersion.v3_1_1, UInt8(3)), (.v5_0, 0x88)])
    func shutdownBeforeConnack(_ version: MQTTVersion, _ code: UInt8) throws {
        var bench = try DataStreamBench(version)
        _ = try bench.device(bench.connect())
        let actions = bench.session.shutDown()
        #expect(try bench.connack(actions).code == code)
        #expect(actions.closesUplink && bench.session.isOver)
        var early = try DataStreamBench(version)
        #expect(early.session.shutDown().closesDevice && early.session.isOver)
    }
}
