import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What happens to a device's will.
@Suite struct DataStreamWillTests {
    static let will = Will(
        topic: "w", payload: ByteBuffer(string: "gone"), qos: .atMostOnce, retain: true,
        properties: [.payloadFormatIndicator(true), .contentType("text"), .userProperty(name: "n", value: "v")])

    func bench(
        _ version: MQTTVersion = .v5_0, qos: QoS = .atMostOnce, delay: UInt32? = nil, expiry: UInt32? = nil
    ) throws -> DataStreamBench {
        var bench = try DataStreamBench(version)
        try bench.establish {
            var will = Self.will
            will.qos = qos
            if version != .v5_0 { will.properties = [] }
            will.properties.willDelayInterval = delay
            $0.will = will
            $0.properties.sessionExpiryInterval = expiry
        }
        return bench
    }

    func publish(
        _ version: MQTTVersion = .v5_0, qos: QoS = .atMostOnce, id: UInt16? = nil
    ) -> Packet {
        .publish(
            PublishHead(
                qos: qos, retain: true, topic: "w", packetID: id,
                properties: version == .v5_0 ? Self.will.properties : []), payload: Self.will.payload)
    }

    // MARK: On the device's own stream

    @Test(arguments: [MQTTVersion.v3_1, .v3_1_1, .v5_0])
    func aVanishedDevice(_ version: MQTTVersion) throws {
        var bench = try bench(version)
        let actions = bench.session.deviceClosed()
        #expect(try bench.up(actions) == [publish(version)])
        #expect(actions.finishesUplink && !actions.closesDevice && actions.end == .deviceVanished)
        #expect(bench.session.uplinkEnded().closesUplink && bench.session.isOver)
    }

    private static let causes: [(name: String, publishes: Bool)] = [
        ("close", true), ("keepAlive", true), ("violation", true), ("garbage", true), ("takenOver", true),
        ("disconnect", false), ("disconnect 0x04", true), ("disconnect 0x80", true), ("shutDown", false),
    ]

    @Test(arguments: causes.indices)
    func whenItIsPublished(_ index: Int) throws {
        let (cause, publishes) = Self.causes[index]
        var bench = try bench()
        let actions: [SessionAction]
        switch cause {
        case "close": actions = bench.session.deviceClosed()
        case "keepAlive": actions = bench.session.timedOut(.keepAlive)
        case "violation": actions = try bench.device(.pingresp)
        case "garbage":
            actions = bench.session.deviceMisbehaved(
                MQTTError(.malformed, clause: "c", message: "m"), start: ByteBuffer())
        case "takenOver": actions = bench.session.takenOver(byContinuation: true)
        case "disconnect": actions = try bench.device(.disconnect(Disconnect()))
        case "disconnect 0x04": actions = try bench.device(.disconnect(Disconnect(reasonCode: 0x04)))
        case "disconnect 0x80": actions = try bench.device(.disconnect(Disconnect(reasonCode: 0x80)))
        default: actions = bench.session.shutDown()
        }
        #expect(try bench.up(actions) == (publishes ? [publish()] : []))
        #expect(actions.finishesUplink && bench.session.isOver == false)
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func atQoS1ItsAcknowledgementIsAwaited(_ version: MQTTVersion) throws {
        var bench = try bench(version, qos: .atLeastOnce)
        let actions = bench.session.deviceClosed()
        #expect(try bench.up(actions) == [publish(version, qos: .atLeastOnce, id: 1)])
        #expect(!actions.finishesUplink && actions.started == [.goodbye])
        // Other packets have nowhere to go, and are not acknowledged.
        #expect(try bench.broker(.message("a", .atLeastOnce, 1)).isEmpty)
        #expect(bench.session.uplinkSent(try bench.streamed("a", .atLeastOnce, 2)).isEmpty)
        #expect(bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true)).isEmpty)
        #expect(try bench.broker(.ack(.puback, 9)).isEmpty)
        let acknowledged = try bench.broker(.ack(.puback, 1))
        #expect(acknowledged.finishesUplink && acknowledged.started == [.goodbye] && acknowledged.notes.isEmpty)
        #expect(bench.session.uplinkEnded().closesUplink && bench.session.isOver)
    }

    @Test(arguments: [MQTTVersion.v3_1_1, .v5_0])
    func atQoS2AllOfIt(_ version: MQTTVersion) throws {
        var bench = try bench(version, qos: .exactlyOnce)
        #expect(try bench.up(bench.session.deviceClosed()) == [publish(version, qos: .exactlyOnce, id: 1)])
        let received = try bench.broker(.ack(.pubrec, 1))
        #expect(try bench.up(received) == [.ack(.pubrel, 1)])
        #expect(!received.finishesUplink)
        #expect(try bench.broker(.ack(.pubcomp, 1)).finishesUplink)
    }

    @Test func aRefusedWillIsNoted() throws {
        var one = try bench(qos: .atLeastOnce)
        _ = one.session.deviceClosed()
        let acknowledged = try one.broker(.ack(.puback, 1, 0x87))
        #expect(acknowledged.notes == [.willRefused(code: 0x87)] && acknowledged.finishesUplink)
        var two = try bench(qos: .exactlyOnce)
        _ = two.session.deviceClosed()
        let received = try two.broker(.ack(.pubrec, 1, 0x97))
        #expect(received.notes == [.willRefused(code: 0x97)] && received.finishesUplink && received.toUplink.isEmpty)
    }

    @Test func anAcknowledgementThatDoesNotCome() throws {
        var bench = try bench(qos: .atLeastOnce)
        _ = bench.session.deviceClosed()
        let patience = bench.session.timedOut(.goodbye)
        #expect(patience.notes.count == 1 && patience.finishesUplink && patience.started == [.goodbye])
        #expect(bench.session.timedOut(.goodbye).closesUplink && bench.session.isOver)
        for event in 0..<3 {
            var bench = try self.bench(qos: .atLeastOnce)
            _ = bench.session.deviceClosed()
            let actions =
                switch event {
                case 0: bench.session.uplinkEnded()
                case 1: bench.session.uplinkLost(.network(description: "idle"))
                default: bench.session.uplinkMisbehaved(MQTTError(.malformed, clause: "c", message: "m"))
                }
            #expect(actions.notes.count == 1 && actions.stopped == [.goodbye] && actions.end == nil)
            #expect(actions.closesUplink == (event != 1) && bench.session.isOver)
        }
    }

    @Test func itsPacketIdentifierIsNoneInFlight() throws {
        var bench = try bench(qos: .atLeastOnce)
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        _ = try bench.device(.message("a", .exactlyOnce, 2))
        _ = try bench.device(
            .subscribe(Subscribe(packetID: 3, subscriptions: [Subscription(filter: "a")])))
        _ = try bench.device(.unsubscribe(Unsubscribe(packetID: 4, filters: ["a"])))
        _ = bench.session.deviceSent(try bench.streamed("a", .atLeastOnce, 5))
        _ = bench.session.deviceSent(.payload(ByteBuffer(string: "x"), isLast: true))
        // A PUBREC does not finish the will.
        _ = try bench.broker(.ack(.pubrec, 2))
        var copy = bench
        #expect(try copy.up(copy.session.deviceClosed()) == [publish(qos: .atLeastOnce, id: 6)])
        for answer in [
            Packet.ack(.puback, 1), .ack(.pubcomp, 2), .suback(Suback(packetID: 3, codes: [0])),
            .unsuback(Unsuback(packetID: 4, codes: [0])), .ack(.puback, 5),
        ] {
            _ = try bench.broker(answer)
        }
        #expect(try bench.up(bench.session.deviceClosed()) == [publish(qos: .atLeastOnce, id: 1)])
    }

    @Test func aMessageThatARouteLoweredToQoS0IsNotInFlight() throws {
        var bench = try DataStreamBench(routes: [Route(local: "#", remote: "r/#", maximumQoS: 0)])
        try bench.establish { $0.will = Will(topic: "w", qos: .atLeastOnce) }
        _ = try bench.device(.message("a", .atLeastOnce, 1))
        #expect(
            try bench.up(bench.session.deviceClosed()) == [.publish(PublishHead(topic: "r/w"), payload: ByteBuffer())])
    }

    // MARK: On a stream of its own

    @Test func insideALongMessageItWaitsForAFreshStream() throws {
        var bench = try bench(qos: .atLeastOnce)
        _ = bench.session.deviceSent(try bench.streamed("a", .atLeastOnce, 1))
        let actions = bench.session.deviceClosed()
        // What came before the message that is cut off is not lost with it.
        #expect(actions.finishesUplink && actions.toUplink.isEmpty && actions.opensDataStream == nil)
        #expect(try bench.broker(.ack(.puback, 1)).isEmpty)
        let ended = bench.session.uplinkEnded()
        #expect(ended.closesUplink && ended.stopped == [.goodbye])
        #expect(ended.started == [.uplinkConnect] && ended.opensDataStream == .v5_0)
        let ready = bench.session.uplinkReady(GatewayLimits())
        #expect(try bench.up(ready) == [publish(qos: .atLeastOnce, id: 1)])
        #expect(ready.stopped == [.uplinkConnect] && ready.toDevice.isEmpty && !bench.session.acceptsDeviceInput)
        #expect(try bench.broker(.ack(.puback, 1)).finishesUplink)
        #expect(bench.session.uplinkEnded().closesUplink && bench.session.isOver)
    }

    @Test func anOldStreamThatDoesNotEnd() throws {
        var bench = try bench()
        _ = bench.session.deviceSent(try bench.streamed("a"))
        _ = bench.session.deviceClosed()
        let actions = bench.session.timedOut(.goodbye)
        #expect(actions.closesUplink && actions.opensDataStream == .v5_0)
    }

    private static let streamEnds = ["FIN", "reset", "network", "garbage"]

    @Test(arguments: streamEnds)
    func aStreamThatEndsUnderALivingDevice(_ event: String) throws {
        var bench = try bench()
        let actions =
            switch event {
            case "FIN": bench.session.uplinkEnded()
            case "reset": bench.session.uplinkLost(.byBroker(reasonCode: nil, description: "reset"))
            case "network": bench.session.uplinkLost(.network(description: "idle"))
            default: bench.session.uplinkMisbehaved(MQTTError(.malformed, clause: "c", message: "m"))
            }
        #expect(actions.closesDevice && actions.opensDataStream == .v5_0 && actions.started == [.uplinkConnect])
        #expect(actions.closesUplink == ["FIN", "garbage"].contains(event))
        // The end of the device leg changes nothing.
        #expect(bench.session.deviceClosed().isEmpty)
        #expect(try bench.up(bench.session.uplinkReady(GatewayLimits())) == [publish()])
    }

    @Test func noFreshStream() throws {
        for event in 0..<4 {
            var bench = try bench()
            _ = bench.session.uplinkLost(.network(description: "idle"))
            let actions =
                switch event {
                case 0: bench.session.uplinkUnreachable("no answer")
                case 1: bench.session.uplinkLost(.network(description: "idle"))
                case 2: bench.session.timedOut(.uplinkConnect)
                default: bench.session.uplinkEnded()
                }
            #expect(actions.notes.count == 1 && actions.stopped == [.uplinkConnect] && actions.end == nil)
            #expect(actions.closesUplink == (event > 1) && bench.session.isOver)
        }
    }
}
