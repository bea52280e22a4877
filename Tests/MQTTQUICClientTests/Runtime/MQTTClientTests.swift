import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

@Suite(.timeLimit(.minutes(2)))
struct MQTTClientTests {
    @Test("connect() returns what CONNACK and the handshake said; disconnect() leaves nothing behind")
    func connect() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        async let pending = broker.client.connect()
        #expect(await reader.dialed()?.clientID == "c")
        await #expect(throws: MQTTClientError.alreadyConnected) { try await broker.client.connect() }
        try await broker.accept(Connack(properties: [.serverKeepAlive(30)]))
        let answer = try await pending
        #expect(answer.keepAlive == .seconds(30))
        #expect(answer.remoteAddress == "192.0.2.1:14567")
        #expect(answer.transport == .quic)
        await broker.client.disconnect()
        #expect(await reader.packet() == .disconnect(Disconnect()))
        #expect(await reader.next() == .finished)
        #expect(await reader.next() == .released)
        #expect(try await broker.isIdle())
        await #expect(throws: MQTTClientError.notConnected) { try await broker.client.publish(MQTTMessage("a")) }
    }

    @Test("A refused client is told why, can try again, and keeps nothing")
    func refused() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        let client = broker.client
        let answer = Task<MQTTConnectAnswer, any Error> { try await client.connect() }
        _ = await reader.dialed()
        try await broker.accept(Connack(code: 0x86))
        await #expect(
            throws: MQTTClientError.refused(.badUserNameOrPassword, reason: nil, serverReference: nil)
        ) { try await answer.value }
        #expect(await reader.next() == .aborted)
        #expect(await reader.next() == .released)
        #expect(try await broker.isIdle())
    }

    @Test("A broker that does not answer CONNECT is given up in time")
    func connectTimeout() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.connectTimeout = .milliseconds(20)
        let broker = try FakeBroker(configuration)
        await #expect(throws: MQTTClientError.timedOut(operation: "connecting", after: .milliseconds(20))) {
            try await broker.client.connect()
        }
        var reader = FakeReader(broker)
        _ = await reader.dialed()
        #expect(await reader.next() == .aborted)
        #expect(await reader.next() == .released)
        #expect(try await broker.isIdle())
    }

    @Test("A lost connection comes back by itself, with its subscriptions and what was not acknowledged")
    func reconnect() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.reconnect = .init(initial: .milliseconds(1))
        let (broker, first) = try await FakeBroker.connected(configuration)
        var reader = first
        var events = broker.client.events.makeAsyncIterator()
        let messages = try await broker.subscribed(&reader, "a/#")
        async let published = broker.client.publish(MQTTMessage("b", "1"))
        _ = await reader.packetID()
        try await broker.lose()
        guard case .disconnected(.connectionLost, .some)? = await events.next() else {
            Issue.record("no event")
            return
        }
        #expect(await reader.dialed()?.cleanStart == false)
        try await broker.accept()
        guard case .connected? = await events.next() else {
            Issue.record("no event")
            return
        }
        let subscribe = await reader.packetID()
        try await broker.send(.suback(Suback(packetID: subscribe, codes: [1])))
        let again = await reader.packetID()
        try await broker.send(.puback(PublishAck(packetID: again)))
        #expect(try await published == MQTTPublishAnswer())
        try await broker.message("a/b", "still here")
        var iterator = messages.makeAsyncIterator()
        #expect(try await iterator.next()?.text == "still here")
        await broker.client.disconnect()
        #expect(await events.next() == .closed)
        #expect(try await iterator.next() == nil)
    }

    @Test("Without a reconnect, all waiting tasks are told of the loss")
    func lostForGood() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.reconnect = nil
        configuration.sessionExpiry = .zero
        let (broker, first) = try await FakeBroker.connected(configuration)
        var reader = first
        let messages = try await broker.subscribed(&reader, "a")
        let client = broker.client
        let published = Task<MQTTPublishAnswer, any Error> { try await client.publish(MQTTMessage("b", "1")) }
        _ = await reader.packetID()
        try await broker.lose()
        let lost = MQTTClientError.connectionLost(detail: "test")
        await #expect(throws: lost) { try await published.value }
        var iterator = messages.makeAsyncIterator()
        await #expect(throws: lost) { try await iterator.next() }
    }

    @Test("A message is acknowledged when it is taken")
    func acknowledgement() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let messages = try await broker.subscribed(&reader, "a")
        try await broker.message("a", "1", 9)
        try await broker.message("a", "2", 8)
        #expect(try await broker.inside { $0.session.incoming.owesAcknowledgements })
        var iterator = messages.makeAsyncIterator()
        for (text, packetID) in [("1", 9), ("2", 8)] as [(String, UInt16)] {
            #expect(try await iterator.next()?.text == text)
            #expect(await reader.packet() == .puback(PublishAck(packetID: packetID)))
        }
    }

    @Test("A full sequence stops the credit, and gives it again when it is emptied")
    func backPressure() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let messages = try await broker.subscribed(&reader, "a", buffer: 2)
        let before = try await broker.link { $0.credit }
        try await broker.message("a", "1")
        let one = try await broker.link { $0.credit }
        #expect(one ?? 0 > before ?? 0)
        for number in 2...4 { try await broker.message("a", "\(number)") }
        #expect(try await broker.link { $0.credit } == one)
        var iterator = messages.makeAsyncIterator()
        for number in 1...4 { #expect(try await iterator.next()?.text == "\(number)") }
        let length = (one ?? 0) - (before ?? 0)
        let all = try await broker.link { $0.credit }
        #expect(all == (before ?? 0) + 4 * length)
    }

    @Test("A link that is full stops PUBLISH until it has room")
    func fullLink() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        try await broker.link { $0.stuck = LinkWaterMarks.high }
        async let published = broker.client.publish(MQTTMessage("a", "1", .atMostOnce))
        while try await broker.inside({ $0.session.outstandingCount }) == 0 { await Task.yield() }
        try await broker.send(.pingresp)
        #expect(try await broker.inside { $0.session.outstandingCount } == 1)
        try await broker.link { $0.unblock() }
        _ = try await published
        guard case .publish? = await reader.packet() else {
            Issue.record("not published")
            return
        }
    }

    @Test("Messages for no subscription go to whoever asked for them")
    func unclaimed() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        let messages = broker.client.unclaimedMessages()
        async let answer = broker.client.connect()
        _ = await reader.dialed()
        try await broker.accept()
        _ = try await answer
        try await broker.message("a", "from before", 1)
        var iterator = messages.makeAsyncIterator()
        #expect(try await iterator.next()?.text == "from before")
        #expect(await reader.packet() == .puback(PublishAck(packetID: 1)))
    }

    @Test("A sequence that is let go of is unsubscribed, and its messages are acknowledged")
    func letGo() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        var messages: MQTTMessages? = try await broker.subscribed(&reader, "a")
        try await broker.message("a", "1", 9)
        #expect(messages != nil)
        messages = nil
        #expect(await reader.packet() == .puback(PublishAck(packetID: 9)))
        let packetID = await reader.packetID()
        try await broker.send(.unsuback(Unsuback(packetID: packetID, codes: [0])))
        #expect(try await broker.isClean())
    }

    @Test("A client that is let go of disconnects, and its sequences end")
    func letGoOfClient() async throws {
        var iterator = try await eventsOfClientThatIsGone().makeAsyncIterator()
        guard case .dialed? = await iterator.next() else {
            Issue.record("not dialed")
            return
        }
        #expect(await iterator.next() == .packet(.disconnect(Disconnect()), on: .control))
        #expect(await iterator.next() == .finished)
    }

    private func eventsOfClientThatIsGone() async throws -> AsyncStream<FakeEvent> {
        let broker = try FakeBroker()
        async let answer = broker.client.connect()
        while try await broker.inside({ $0.link == nil }) { await Task.yield() }
        try await broker.accept()
        _ = try await answer
        return broker.events
    }

    @Test("Data streams are opened as far as they are allowed")
    func dataStreams() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.dataStreams = 4
        let (broker, _) = try await FakeBroker.connected(configuration, dataStreams: 2)
        let streams = try await broker.inside { $0.session.streams }
        #expect(streams == [.control, .data(1), .data(2), nil, nil])
    }

    @Test("An acknowledgement on a data stream may not be as large as a message")
    func largePacketOnDataStream() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.dataStreams = 1
        configuration.reconnect = nil
        let (broker, first) = try await FakeBroker.connected(configuration, dataStreams: 1)
        var reader = first
        let client = broker.client
        let published = Task { try await client.publish(MQTTMessage("a")) }
        let packetID = await reader.packetID()
        let half = String(repeating: "x", count: 40_000)
        try await broker.send(
            .puback(
                PublishAck(packetID: packetID, properties: [.reasonString(half), .userProperty(name: "", value: half)])),
            on: .data(1))
        guard case .failure(let error) = await published.result,
            case .protocolError(let detail)? = error as? MQTTClientError
        else {
            Issue.record("it was accepted")
            return
        }
        #expect(detail.contains("65536"), "\(detail)")
    }

    @Test("PINGREQ goes out on the control stream, however busy a data stream is")
    func keepAliveBesideDataStreams() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.dataStreams = 1
        let (broker, first) = try await FakeBroker.connected(
            configuration, Connack(properties: [.serverKeepAlive(1)]), dataStreams: 1)
        var reader = first
        let client = broker.client
        let publishing = Task {
            while !Task.isCancelled { _ = try await client.publish(MQTTMessage("a")) }
        }
        while let event = await reader.next() {
            if event == .packet(.pingreq, on: .control) { break }
            guard case .packet(.publish(let head, _), on: let stream) = event else { continue }
            #expect(stream == .data(1))
            try await broker.send(.puback(PublishAck(packetID: head.packetID ?? 0)), on: stream)
        }
        publishing.cancel()
    }

    @Test("A request gets the answer with its correlation data, and others do not count")
    func request() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        async let answer = broker.client.request(MQTTMessage("do", "it"), timeout: .seconds(60))
        guard case .subscribe(let subscribe)? = await reader.packet() else {
            Issue.record("not subscribed")
            return
        }
        try await broker.send(.suback(Suback(packetID: subscribe.packetID, codes: [1])))
        guard case .publish(let head, _)? = await reader.packet() else {
            Issue.record("not published")
            return
        }
        let topic = try #require(head.properties.responseTopic)
        #expect(topic == subscribe.subscriptions.first?.filter)
        for (correlation, text) in [(ByteBuffer(string: "other"), "no"), (head.properties.correlationData, "yes")] {
            var properties = Properties()
            properties.correlationData = correlation
            try await broker.send(
                .publish(PublishHead(topic: topic, properties: properties), payload: ByteBuffer(string: text)))
        }
        #expect(try await answer.text == "yes")
        try await broker.send(.puback(PublishAck(packetID: head.packetID ?? 0)))
        #expect(try await broker.inside { $0.requests.waiting.isEmpty && $0.session.outstandingCount == 0 })
    }

    @Test("A request without an answer ends in time")
    func requestTimeout() async throws {
        let (broker, _) = try await FakeBroker.connected()
        await #expect(throws: MQTTClientError.timedOut(operation: "the request", after: .milliseconds(5))) {
            try await broker.client.request(MQTTMessage("do", "it"), timeout: .milliseconds(5))
        }
        #expect(try await broker.inside { $0.requests.waiting.isEmpty && $0.waiters.isEmpty })
    }
}
