import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import MQTTQUICClient

struct ClientSessionPublishTests {
    private let done = Result<MQTTPublishAnswer, MQTTClientError>.success(MQTTPublishAnswer())

    @Test("QoS 0 is done when it is sent, 1 with PUBACK, 2 with PUBCOMP")
    func outcomes() throws {
        var session = try ClientSession.online()
        try session.publish(operation(1), MQTTMessage("a", "0", .atMostOnce))
        try session.publish(operation(2), MQTTMessage("a", "1", .atLeastOnce))
        try session.publish(operation(3), MQTTMessage("a", "2", .exactlyOnce))
        let actions = session.pump()
        #expect(try actions.sent().count == 3)
        #expect(actions.told == [.published(operation(1), done)])
        #expect(
            session.received(.puback(PublishAck(packetID: 1)), on: .control).told == [.published(operation(2), done)])
        let released = session.received(.pubrec(PublishAck(packetID: 2)), on: .control)
        #expect(released.told.isEmpty)
        #expect(try released.sent() == [.pubrel(PublishAck(packetID: 2))])
        #expect(
            session.received(.pubcomp(PublishAck(packetID: 2)), on: .control).told == [.published(operation(3), done)])
        #expect(session.outstandingCount == 0)
    }

    @Test("A refusal is an error, and its packet identifier is free again")
    func refusal() throws {
        var session = try ClientSession.online()
        try session.publish(operation(1), MQTTMessage("a", "1", .atLeastOnce))
        try session.publish(operation(2), MQTTMessage("a", "2", .exactlyOnce))
        _ = session.pump()
        let refused = Result<MQTTPublishAnswer, MQTTClientError>.failure(.rejected(.notAuthorized, reason: "no"))
        for (packet, number) in [
            (Packet.puback(PublishAck(packetID: 1, reasonCode: 0x87, properties: [.reasonString("no")])), 1),
            (.pubrec(PublishAck(packetID: 2, reasonCode: 0x87, properties: [.reasonString("no")])), 2),
        ] {
            let actions = session.received(packet, on: .control)
            #expect(actions == [.published(operation(UInt64(number)), refused)])
        }
        #expect(session.flows[0].identifiers.count == 0)
    }

    @Test("No more are in flight than the broker's Receive Maximum, and QoS 0 keeps its place")
    func quota() throws {
        var session = try ClientSession.online(.test, [.receiveMaximum(2)])
        for number in 1...3 as ClosedRange<UInt64> {
            try session.publish(operation(number), MQTTMessage("a", "\(number)", .atLeastOnce))
        }
        try session.publish(operation(4), MQTTMessage("a", "4", .atMostOnce))
        #expect(try session.pump().sent().count == 2)
        #expect(session.pump().isEmpty)
        _ = session.received(.puback(PublishAck(packetID: 2)), on: .control)
        #expect(try session.pump().sent().count == 2)
    }

    @Test("Not more is sent at once than fits, but one message at least")
    func budget() throws {
        var session = try ClientSession.online()
        for number in 1...3 as ClosedRange<UInt64> {
            try session.publish(operation(number), MQTTMessage("a", String(repeating: "x", count: 100), .atMostOnce))
        }
        #expect(try session.pump(budget: 1).sent().count == 1)
        #expect(try session.pump(budget: 120).sent().count == 2)
    }

    @Test("What the broker cannot take is refused before it is sent")
    func limits() throws {
        let cases: [(Property, MQTTMessage, MQTTClientError)] = [
            (
                .maximumQoS(.atLeastOnce), MQTTMessage("a", "x", .exactlyOnce),
                .notSupportedByBroker("QoS 2, only up to 1")
            ),
            (
                .retainAvailable(false), MQTTMessage(topic: "a", isRetained: true),
                .notSupportedByBroker("retained messages")
            ),
            (.maximumPacketSize(10), MQTTMessage("a", "12345", .atLeastOnce), .packetTooLarge(bytes: 13, limit: 10)),
        ]
        for (property, message, error) in cases {
            var session = try ClientSession.online(.test, [property])
            try session.publish(operation(1), message)
            #expect(session.pump() == [.published(operation(1), .failure(error))])
            #expect(session.outstandingCount == 0)
            #expect(session.flows[0].identifiers.count == 0)
        }
    }

    @Test("What makes no sense is refused at once")
    func invalid() throws {
        var configuration = MQTTClientConfiguration.test
        for topic in ["", "a/+", "a/#", "a\u{0}"] {
            var session = try ClientSession.online(configuration)
            #expect(throws: MQTTClientError.self) { try session.publish(operation(1), MQTTMessage(topic)) }
        }
        configuration.version = .v3_1_1
        var session = try ClientSession.online(configuration)
        var message = MQTTMessage("a")
        message.properties.contentType = "text/plain"
        #expect(
            throws: MQTTClientError.invalidArgument("MQTT 3.1.1 has no properties: leave them out, or use MQTT 5")
        ) { try session.publish(operation(1), message) }
        #expect(session.outstandingCount == 0)
    }

    @Test("At its limits of messages and of bytes a session refuses more, and takes more after an acknowledgement")
    func bounds() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.maximumOutstandingPublishes = 2
        configuration.maximumOutstandingBytes = 520
        var session = try ClientSession.online(configuration)
        try session.publish(operation(1), MQTTMessage("a", String(repeating: "x", count: 1_000)))
        #expect(throws: MQTTClientError.tooManyOutstanding(limit: "1257 bytes of at most 520")) {
            try session.publish(operation(2), MQTTMessage("a"))
        }
        _ = session.pump()
        _ = session.received(.puback(PublishAck(packetID: 1)), on: .control)
        try session.publish(operation(3), MQTTMessage("a"))
        try session.publish(operation(4), MQTTMessage("a"))
        #expect(throws: MQTTClientError.tooManyOutstanding(limit: "2 messages")) {
            try session.publish(operation(5), MQTTMessage("a"))
        }
    }

    @Test("A process that goes on with an earlier session does not begin with the same packet identifiers")
    func firstIdentifier() throws {
        for (cleanStart, first, second) in [(true, 1, 2), (false, 65_535, 1)] as [(Bool, UInt16, UInt16)] {
            var configuration = MQTTClientConfiguration.test
            configuration.cleanStart = cleanStart
            var session = ClientSession(configuration, lastPacketID: 65_534)
            _ = try session.connectPacket(isReconnect: false)
            _ = session.received(.connack(Connack()), on: .control)
            for number in 1...2 as ClosedRange<UInt64> {
                try session.publish(operation(number), MQTTMessage("a", "\(number)", .exactlyOnce))
            }
            let identifiers = try session.pump().sent().map { packet -> UInt16? in
                if case .publish(let head, _) = packet { head.packetID } else { nil }
            }
            #expect(identifiers == [first, second])
        }
    }

    @Test("In a resumed session the same packets go out again in order, with DUP, and PUBREL for those released")
    func resume() throws {
        var session = try ClientSession.online()
        for number in 1...3 as ClosedRange<UInt64> {
            try session.publish(
                operation(number), MQTTMessage("a", "\(number)", number == 2 ? .exactlyOnce : .atLeastOnce))
        }
        _ = session.pump()
        _ = session.received(.pubrec(PublishAck(packetID: 2)), on: .control)
        try session.publish(operation(4), MQTTMessage("a", "4"))
        let actions = try session.reconnect(sessionPresent: true)
        #expect(try actions.sent() == [.pubrel(PublishAck(packetID: 2))])
        let heads = try session.pump().sent().map { packet -> [String] in
            guard case .publish(let head, let payload) = packet else { return [] }
            return ["\(head.packetID ?? 0)", "\(head.isDuplicate)", String(buffer: payload)]
        }
        #expect(heads == [["1", "true", "1"], ["3", "true", "3"], ["4", "false", "4"]])
    }

    @Test("A message that waits for the connection has less time, and is not sent when it is over")
    func expiry() throws {
        let clock = Mutex(NIODeadline.uptimeNanoseconds(1_000))
        func advance(_ time: TimeAmount) { clock.withLock { $0 = $0 + time } }
        var session = try ClientSession.online(now: { clock.withLock { $0 } })
        func publish(_ number: UInt64, _ qos: MQTTQoS, _ expiry: Duration) throws {
            var message = MQTTMessage("a", "\(number)", qos)
            message.properties.expiry = expiry
            try session.publish(operation(number), message)
        }
        func sent() throws -> [[String]] {
            try session.pump().sent().map { packet in
                guard case .publish(let head, let payload) = packet else { return [] }
                return [String(buffer: payload), "\(head.properties.messageExpiryInterval ?? 0)"]
            }
        }
        try publish(1, .atLeastOnce, .seconds(10))
        try publish(2, .exactlyOnce, .seconds(10))
        #expect(try sent() == [["1", "10"], ["2", "10"]])
        session.connectionLost()
        for (number, qos) in [(3, MQTTQoS.atMostOnce), (4, .atLeastOnce), (5, .exactlyOnce)] {
            try publish(UInt64(number), qos, .seconds(10))
        }
        try publish(6, .atLeastOnce, .seconds(Int64.max))
        advance(.milliseconds(3_500))
        _ = try session.connectPacket(isReconnect: true)
        _ = session.received(.connack(Connack(sessionPresent: true)), on: .control)
        session.connectionLost()
        // What the broker may have goes out in any case.
        advance(.seconds(7))
        _ = try session.connectPacket(isReconnect: true)
        _ = session.received(.connack(Connack(sessionPresent: true, properties: [.receiveMaximum(5)])), on: .control)
        try publish(7, .atLeastOnce, .milliseconds(1))
        let actions = session.pump()
        let late = Result<MQTTPublishAnswer, MQTTClientError>.failure(.expired(topic: "a"))
        #expect(actions.told == (3...5).map { .published(operation($0), late) })
        let left = try actions.sent().map { packet -> UInt32? in
            if case .publish(let head, _) = packet { head.properties.messageExpiryInterval } else { nil }
        }
        #expect(left == [1, 1, .max - 10, 1])
        #expect(session.outstandingCount == 4)
    }

    @Test("In a new session QoS 1 is sent as new, and QoS 2 that was sent is told to be unknown")
    func startOver() throws {
        var session = try ClientSession.online()
        for (number, qos) in [(1, MQTTQoS.atLeastOnce), (2, .exactlyOnce), (3, .exactlyOnce)] {
            try session.publish(operation(UInt64(number)), MQTTMessage("a", "\(number)", qos))
        }
        _ = session.pump()
        _ = session.received(.pubrec(PublishAck(packetID: 3)), on: .control)
        try session.publish(operation(4), MQTTMessage("a", "4", .exactlyOnce))
        let actions = try session.reconnect(sessionPresent: false)
        let unknown = Result<MQTTPublishAnswer, MQTTClientError>.failure(.deliveryUnknown(topic: "a"))
        #expect(actions.told.dropFirst() == [.published(operation(2), unknown), .published(operation(3), unknown)])
        let heads = try session.pump().sent().compactMap { packet -> String? in
            guard case .publish(let head, let payload) = packet else { return nil }
            return "\(head.isDuplicate) \(String(buffer: payload))"
        }
        #expect(heads == ["false 1", "false 4"])
    }

    @Test("What nobody waits for any more is not sent again in a new session")
    func startOverWithoutWaiter() throws {
        var session = try ClientSession.online()
        try session.publish(operation(1), MQTTMessage("a", "1"))
        try session.publish(operation(2), MQTTMessage("a", "2"))
        _ = session.pump()
        _ = session.cancelPublish(operation(1))
        #expect(try session.reconnect(sessionPresent: false).told.count == 1)
        #expect(try session.pump().sent().count == 1)
        #expect(session.outstandingCount == 1)
    }

    @Test("A client that gave up told everybody, and keeps only what a resumed session needs")
    func giveUp() throws {
        for expiry in [Duration.zero, .seconds(60)] {
            var configuration = MQTTClientConfiguration.test
            configuration.sessionExpiry = expiry
            var session = try ClientSession.online(configuration, [.receiveMaximum(1)])
            try session.publish(operation(1), MQTTMessage("a", "1"))
            try session.publish(operation(2), MQTTMessage("a", "2"))
            _ = session.pump()
            session.connectionLost()
            let actions = session.giveUp(.notConnected)
            #expect(
                Set(actions.map { "\($0)" })
                    == Set(
                        ([1, 2] as [UInt64]).map { "\(ClientAction.published(operation($0), .failure(.notConnected)))" }
                    ))
            #expect(session.outstandingCount == (expiry == .zero ? 0 : 1))
        }
    }

    @Test("A message that was not sent is taken back by cancelling; one that was sent goes on without a waiter")
    func cancel() throws {
        var session = try ClientSession.online(.test, [.receiveMaximum(1)])
        try session.publish(operation(1), MQTTMessage("a", "1"))
        try session.publish(operation(2), MQTTMessage("a", "2"))
        _ = session.pump()
        for number in [1, 2] as [UInt64] {
            #expect(
                session.cancelPublish(operation(number)) == [.published(operation(number), .failure(.cancelled))])
            #expect(session.cancelPublish(operation(number)).isEmpty)
        }
        #expect(session.outstandingCount == 1)
        #expect(session.received(.puback(PublishAck(packetID: 1)), on: .control).isEmpty)
        #expect(session.outstandingCount == 0)
        #expect(session.pump().isEmpty)
    }

    @Test("Messages of one topic keep to one stream; those of QoS 2, and of a lane without a stream, to the first")
    func lanes() throws {
        var configuration = MQTTClientConfiguration.test
        configuration.dataStreams = 2
        var session = try ClientSession.online(configuration)
        session.opened([.data(7)])
        for number in 1...40 as ClosedRange<UInt64> {
            try session.publish(operation(number), MQTTMessage("t\(number % 10)", "\(number)"))
        }
        try session.publish(operation(41), MQTTMessage("t1", "41", .exactlyOnce))
        let onData = try topics(session.pump(.data(7)).sent(on: .data(7)))
        let onControl = try topics(session.pump().sent())
        #expect(!onData.isEmpty && onControl.count > 1)
        #expect(Set(onData).isDisjoint(with: Set(onControl.dropLast())))
        #expect(onControl.last == "t1")
        session.ended(.data(7))
        #expect(try topics(session.pump().sent()) == onData)
        #expect(session.streamsToSendOn.isEmpty)
    }

    private func topics(_ packets: [Packet]) -> [String] {
        packets.compactMap { if case .publish(let head, _) = $0 { head.topic } else { nil } }
    }
}
