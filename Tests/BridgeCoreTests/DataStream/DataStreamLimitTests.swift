import MQTTCodec
import NIOCore
import Testing

@testable import BridgeCore

/// What the server's limits forbid the device, and what the device's limits forbid the broker, which does not know
/// them.
@Suite struct DataStreamLimitTests {
    // MARK: The server's

    private static let beyond: [(Packet, code: UInt8)] = [
        (.message("a", .exactlyOnce, 1), 0x9B),
        (.message("a", retain: true), 0x9A),
        (
            .publish(PublishHead(topic: "a", properties: [.topicAlias(1)]), payload: ByteBuffer()), 0x94
        ),
        (.publish(PublishHead(topic: "", properties: [.topicAlias(1)]), payload: ByteBuffer()), 0x94),
        (.publish(PublishHead(topic: "a"), payload: ByteBuffer(repeating: 0, count: 100)), 0x95),
    ]

    private var limits: GatewayLimits {
        var limits = GatewayLimits()
        limits.maximumQoS = .atLeastOnce
        limits.isRetainAvailable = false
        limits.maximumPacketSize = 100
        return limits
    }

    @Test(arguments: beyond.indices)
    func beyondTheServersLimits(_ index: Int) throws {
        let (packet, code) = Self.beyond[index]
        var bench = try DataStreamBench()
        try bench.establish(limits)
        let actions = try bench.device(packet) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == code)
        #expect(actions.closesDevice && actions.finishesUplink && actions.toUplink.isEmpty)
    }

    @Test func withinThemAllIsWell() throws {
        var bench = try DataStreamBench()
        try bench.establish(limits)
        for packet in [
            Packet.message("a", .atLeastOnce, 1),
            .publish(PublishHead(topic: "a", properties: [.messageExpiryInterval(5)]), payload: ByteBuffer()),
        ] {
            #expect(try bench.device(packet).toUplink.count == 1)
        }
    }

    @Test func longMessagesBeyondThem() throws {
        for (qos, id, code) in [(QoS.exactlyOnce, UInt16?(1), UInt8(0x9B)), (.atMostOnce, nil, 0x95)] {
            var bench = try DataStreamBench()
            try bench.establish(limits)
            let actions = bench.session.deviceSent(try bench.streamed("a", qos, id)) + bench.session.uplinkEnded()
            #expect(try bench.farewell(actions) == code)
            #expect(actions.toUplink.isEmpty)
        }
    }

    @Test func aPacketThatIsTooLargeOnceItIsRouted() throws {
        let prefix = String(repeating: "p", count: 90)
        var bench = try DataStreamBench(routes: [Route(local: "#", remote: "\(prefix)/#")])
        try bench.establish(limits)
        #expect(try bench.up(bench.device(.message("a", .atLeastOnce, 1))).count == 1)
        let actions = try bench.device(.message("aaaaaaaaaa", .atLeastOnce, 1)) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == 0x95)
        #expect(actions.toUplink.isEmpty)
    }

    private static let wills: [(Will, code: UInt8)] = [
        (Will(topic: "w", qos: .exactlyOnce), 0x9B), (Will(topic: "w", retain: true), 0x9A),
        (Will(topic: "w", payload: ByteBuffer(repeating: 0, count: 100)), 0x95),
    ]

    @Test(arguments: wills.indices)
    func aWillBeyondThem(_ index: Int) throws {
        let (will, code) = Self.wills[index]
        var bench = try DataStreamBench()
        _ = try bench.device(bench.connect { $0.will = will })
        let actions = bench.session.uplinkReady(limits)
        #expect(try bench.connack(actions).code == code)
        #expect(actions.closesDevice && actions.closesUplink && actions.toUplink.isEmpty && bench.session.isOver)
    }

    // MARK: The device's Maximum Packet Size

    @Test func aDeliveryThatIsTooLargeIsAcknowledgedHere() throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.maximumPacketSize = 50 }
        func large(_ qos: QoS, _ id: UInt16?) -> Packet {
            .publish(
                PublishHead(qos: qos, topic: "a", packetID: id), payload: ByteBuffer(repeating: 0, count: 50))
        }
        #expect(try bench.broker(large(.atMostOnce, nil)).isEmpty)
        #expect(try bench.up(bench.broker(large(.atLeastOnce, 1))) == [.ack(.puback, 1)])
        #expect(try bench.up(bench.broker(large(.exactlyOnce, 2))) == [.ack(.pubrec, 2)])
        #expect(try bench.up(bench.broker(large(.exactlyOnce, 2))) == [.ack(.pubrec, 2)])
        let released = try bench.broker(.ack(.pubrel, 2))
        #expect(try bench.up(released) == [.ack(.pubcomp, 2)])
        #expect(released.toDevice.isEmpty)
        #expect(try bench.broker(.message("a", .exactlyOnce, 2)).toDevice.count == 1)
        #expect(try bench.broker(.ack(.pubrel, 2)).toDevice.count == 1)
    }

    @Test func aLongDeliveryThatIsTooLarge() throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.maximumPacketSize = 50 }
        #expect(bench.session.uplinkSent(try bench.streamed("a", .atLeastOnce, 1)).isEmpty)
        #expect(bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: false)).isEmpty)
        let last = bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true))
        #expect(try bench.up(last) == [.ack(.puback, 1)])
        #expect(last.toDevice.isEmpty)
    }

    @Test func theSizeIsThatOfTheRoutedPacket() throws {
        let routes = [Route(local: "a/#", remote: "a-rather-long-prefix-of-a-topic/#")]
        var bench = try DataStreamBench(routes: routes)
        try bench.establish { $0.properties.maximumPacketSize = 12 }
        let delivery = try bench.broker(.message("a-rather-long-prefix-of-a-topic/b"))
        #expect(try bench.down(delivery) == [.message("a/b")])
    }

    @Test func anAnswerLosesItsWordsBeforeItIsTooLarge() throws {
        let reason = String(repeating: "because ", count: 10)
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.maximumPacketSize = 20 }
        let suback = Suback(packetID: 1, properties: [.reasonString(reason)], codes: [0])
        #expect(try bench.down(bench.broker(.suback(suback))) == [.suback(Suback(packetID: 1, codes: [0]))])
        let huge = Suback(packetID: 2, codes: [UInt8](repeating: 0, count: 100))
        let actions = try bench.broker(.suback(huge)) + bench.session.uplinkEnded()
        #expect(try bench.farewell(actions) == 0x95)
        #expect(actions.closesDevice && actions.toDevice.allSatisfy { $0.readableBytes <= 20 })
    }

    @Test func aDeviceThatWantsNoWords() throws {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.requestProblemInformation = false }
        let ack = PublishAck(packetID: 1, reasonCode: 0x10, properties: [.reasonString("nobody")])
        #expect(try bench.down(bench.broker(.puback(ack))) == [.ack(.puback, 1, 0x10)])
        // In a message they belong to its sender ([MQTT-3.1.2-29]).
        let message = Packet.publish(
            PublishHead(topic: "a", properties: [.userProperty(name: "n", value: "v")]), payload: ByteBuffer())
        #expect(try bench.down(bench.broker(message)) == [message])
    }

    // MARK: The device's Receive Maximum

    private func windowed(_ limit: UInt16) throws -> DataStreamBench {
        var bench = try DataStreamBench()
        try bench.establish { $0.properties.receiveMaximum = limit }
        return bench
    }

    @Test func theBrokerWaitsWhileTheDeviceHasEnough() throws {
        var bench = try windowed(2)
        _ = try bench.broker(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.message("a"))
        #expect(bench.session.acceptsUplinkInput)
        _ = try bench.broker(.message("a", .exactlyOnce, 2))
        #expect(!bench.session.acceptsUplinkInput && bench.session.acceptsDeviceInput)
        #expect(try bench.device(.ack(.puback, 1)).toUplink.count == 1)
        #expect(bench.session.acceptsUplinkInput)
        _ = try bench.broker(.message("a", .atLeastOnce, 3))
        #expect(!bench.session.acceptsUplinkInput)
        // A PUBREC with an error ends the flow.
        #expect(try bench.device(.ack(.pubrec, 2, 0x80)).toUplink.count == 1)
        #expect(bench.session.acceptsUplinkInput)
    }

    @Test func theSecondHalfOfQoS2DoesNotWaitInTheStream() throws {
        for brokerIsFirst in [false, true] {
            var bench = try windowed(1)
            _ = try bench.broker(.message("a", .exactlyOnce, 7))
            #expect(!bench.session.acceptsUplinkInput)
            let received = try bench.device(.ack(.pubrec, 7))
            #expect(try bench.up(received) == [.ack(.pubrec, 7)])
            #expect(try bench.down(received) == [.ack(.pubrel, 7)])
            #expect(!bench.session.acceptsUplinkInput)
            if brokerIsFirst {
                #expect(try bench.broker(.ack(.pubrel, 7)).isEmpty)
                #expect(try bench.up(bench.device(.ack(.pubcomp, 7))) == [.ack(.pubcomp, 7)])
                #expect(bench.session.acceptsUplinkInput)
            } else {
                #expect(try bench.device(.ack(.pubcomp, 7)).isEmpty)
                #expect(bench.session.acceptsUplinkInput)
                #expect(try bench.up(bench.broker(.ack(.pubrel, 7))) == [.ack(.pubcomp, 7)])
            }
            // The packet identifier is free again.
            #expect(try bench.broker(.message("a", .exactlyOnce, 7)).toDevice.count == 1)
            #expect(!bench.session.acceptsUplinkInput)
        }
    }

    @Test func theSameAgainTakesNoSecondPlace() throws {
        var bench = try windowed(2)
        _ = try bench.broker(.message("a", .atLeastOnce, 1))
        _ = try bench.broker(.message("a", .atLeastOnce, 1))
        #expect(bench.session.acceptsUplinkInput)
        _ = try bench.device(.ack(.puback, 1))
        _ = try bench.device(.ack(.puback, 1))
        _ = try bench.device(.ack(.pubcomp, 1))
        _ = try bench.broker(.message("a", .atLeastOnce, 2))
        _ = try bench.broker(.message("a", .atLeastOnce, 3))
        #expect(!bench.session.acceptsUplinkInput)
    }

    @Test func aLongDeliveryIsLetInToItsEnd() throws {
        var bench = try windowed(1)
        _ = bench.session.uplinkSent(try bench.streamed("a", .atLeastOnce, 1))
        #expect(bench.session.acceptsUplinkInput)
        _ = bench.session.uplinkSent(.payload(ByteBuffer(string: "x"), isLast: true))
        #expect(!bench.session.acceptsUplinkInput)
    }

    @Test func withoutOneNothingIsCounted() throws {
        var bench = try DataStreamBench()
        try bench.establish()
        for id in UInt16(1)...1_000 { _ = try bench.broker(.message("a", .exactlyOnce, id)) }
        #expect(bench.session.acceptsUplinkInput)
        // The broker's own PUBREL passes.
        #expect(try bench.device(.ack(.pubrec, 1)).toDevice.isEmpty)
        #expect(try bench.broker(.ack(.pubrel, 1)).toDevice.count == 1)
    }

    @Test func onceTheDeviceIsGoneNothingWaitsForIt() throws {
        var bench = try DataStreamBench()
        try bench.establish {
            $0.properties.receiveMaximum = 1
            $0.will = Will(topic: "w", qos: .atLeastOnce)
        }
        _ = try bench.broker(.message("a", .atLeastOnce, 1))
        #expect(!bench.session.acceptsUplinkInput)
        _ = bench.session.deviceClosed()
        #expect(bench.session.acceptsUplinkInput)
    }
}
