import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

/// Every call that waits can be cancelled, at any time, and leaves nothing behind.
@Suite(.timeLimit(.minutes(2)))
struct CancellationTests {
    private func expectCancelled<Value>(_ task: Task<Value, any Error>) async {
        task.cancel()
        await #expect(throws: MQTTClientError.cancelled) { try await task.value }
    }

    @Test("connect() while the link is being made, and before it began")
    func connect() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        let client = broker.client
        let task = Task<MQTTConnectAnswer, any Error> { try await client.connect() }
        _ = await reader.dialed()
        await expectCancelled(task)
        #expect(await reader.next() == .aborted)
        #expect(await reader.next() == .released)
        #expect(try await broker.isIdle())
        await expectCancelled(
            Task {
                while !Task.isCancelled { await Task.yield() }
                try await client.connect()
            })
        while try await !broker.isIdle() { await Task.yield() }
    }

    @Test("publish() that was sent and one that was not")
    func publish() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let sent = Task<MQTTPublishAnswer, any Error> { try await client.publish(MQTTMessage("a")) }
        let packetID = await reader.packetID()
        await expectCancelled(sent)
        try await broker.send(.puback(PublishAck(packetID: packetID)))
        #expect(try await broker.isClean())

        try await broker.link { $0.stuck = LinkWaterMarks.high }
        let waiting = Task<MQTTPublishAnswer, any Error> {
            try await client.publish(MQTTMessage("a", "x", .atMostOnce))
        }
        while try await broker.inside({ $0.session.outstandingCount }) == 0 { await Task.yield() }
        await expectCancelled(waiting)
        #expect(try await broker.isClean())
    }

    @Test("subscribe() and unsubscribe()")
    func filters() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let subscribing = Task<MQTTMessages, any Error> { try await client.subscribe(to: [MQTTSubscription("a")]) }
        var packetID = await reader.packetID()
        await expectCancelled(subscribing)
        try await broker.send(.suback(Suback(packetID: packetID, codes: [1])))
        packetID = await reader.packetID()
        try await broker.send(.unsuback(Unsuback(packetID: packetID, codes: [0])))
        #expect(try await broker.isClean())

        let unsubscribing = Task<[MQTTReasonCode], any Error> { try await client.unsubscribe(from: ["a"]) }
        packetID = await reader.packetID()
        await expectCancelled(unsubscribing)
        try await broker.send(.unsuback(Unsuback(packetID: packetID, codes: [0])))
        #expect(try await broker.isClean())
    }

    @Test("request()")
    func request() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let task = Task<MQTTMessage, any Error> {
            try await client.request(MQTTMessage("do"), timeout: .seconds(600))
        }
        let packetID = await reader.packetID()
        await expectCancelled(task)
        try await broker.send(.suback(Suback(packetID: packetID, codes: [1])))
        #expect(try await broker.inside { $0.requests.waiting.isEmpty && $0.session.outstandingCount == 0 })
    }

    @Test("Waiting for a message: none is lost, and the sequence goes on")
    func next() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        async let pending = client.subscribe(to: [MQTTSubscription("a")])
        let packetID = await reader.packetID()
        try await broker.send(.suback(Suback(packetID: packetID, codes: [1])))
        let messages = try await pending
        for number in 1...20 {
            let task = Task<MQTTMessage?, any Error> {
                var iterator = messages.makeAsyncIterator()
                return try await iterator.next()
            }
            if number % 2 == 0 { await Task.yield() }
            task.cancel()
            try await broker.message("a", "\(number)")
            var text = try? await task.value?.text
            if text == nil {
                var iterator = messages.makeAsyncIterator()
                text = try await iterator.next()?.text
            }
            #expect(text == "\(number)")
        }
    }

    @Test("disconnect() goes on in a cancelled task, so that the connection ends in good order")
    func disconnect() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await client.disconnect()
        }
        task.cancel()
        await task.value
        #expect(await reader.next() == .packet(.disconnect(Disconnect()), on: .control))
        #expect(await reader.next() == .finished)
        #expect(try await broker.isIdle())
    }
}
