import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

/// A sequence that nobody empties holds up its connection, but neither answers nor what comes after it.
@Suite(.timeLimit(.minutes(2)))
struct FullSequenceTests {
    @Test("A loop that waits for an acknowledgement gets it from behind any number of messages of QoS 0")
    func answerBehindMessages() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let messages = try await broker.subscribed(&reader, "a", buffer: 1)
        try await broker.message("a", "1")
        let before = try await broker.link { $0.credit } ?? 0
        for number in 2...3 { try await broker.message("a", "\(number)") }
        #expect(try await broker.link { $0.credit } == before)
        let published = Task { try await client.publish(MQTTMessage("b", "1")) }
        let packetID = await reader.packetID()
        while try await broker.link({ $0.credit }) == before { await Task.yield() }
        let text = String(repeating: "x", count: 65_536)
        for _ in 0..<128 {
            try await broker.message("a", text)
            #expect(try await broker.inside { $0.owedCredit == 0 })
        }
        let kept = try await broker.inside { $0.buffers.values.map(\.bytes).reduce(0, +) }
        #expect(kept >= MessageBuffer.mostBytes && kept < MessageBuffer.mostBytes + 2 * 65_536)
        #expect(try await broker.inside { $0.dropping.count } == 1)
        try await broker.send(.puback(PublishAck(packetID: packetID)))
        _ = try await published.value
        var iterator = messages.makeAsyncIterator()
        for number in 1...3 { #expect(try await iterator.next()?.text == "\(number)") }
        while try await broker.inside({ !$0.full.isEmpty }) { #expect(try await iterator.next()?.text == text) }
        #expect(try await broker.inside { $0.owedCredit == 0 && $0.dropping.isEmpty })
    }

    @Test("Messages of QoS 1 are never dropped for an answer: at six mebibytes the broker has to wait for the loop")
    func acknowledgedMessages() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let messages = try await broker.subscribed(&reader, "a", buffer: 1)
        let published = Task { try await client.publish(MQTTMessage("b", "1")) }
        let publishID = await reader.packetID()
        let text = String(repeating: "x", count: 262_144)
        for packetID in 1...24 as ClosedRange<UInt16> {
            #expect(try await broker.inside { $0.owedCredit == 0 })
            try await broker.message("a", text, packetID)
        }
        #expect(try await broker.inside { $0.owedCredit > 0 && $0.dropping.isEmpty })
        var iterator = messages.makeAsyncIterator()
        _ = try await iterator.next()
        while try await broker.inside({ $0.owedCredit > 0 }) { await Task.yield() }
        try await broker.send(.puback(PublishAck(packetID: publishID)))
        _ = try await published.value
        for _ in 2...24 { #expect(try await iterator.next()?.text == text) }
    }

    @Test("A sequence that has ended holds up neither its connection nor the next one")
    func endedSequence() async throws {
        let (broker, first) = try await FakeBroker.connected()
        var reader = first
        let client = broker.client
        let messages = try await broker.subscribed(&reader, "a", buffer: 1)
        try await broker.message("a", "1")
        #expect(try await broker.inside { !$0.full.isEmpty })
        await client.disconnect()
        async let answer = client.connect()
        _ = await reader.dialed()
        try await broker.accept()
        _ = try await answer
        let before = try await broker.link { $0.credit } ?? 0
        try await broker.message("b", "2")
        #expect(try await broker.link { $0.credit } ?? 0 > before)
        var iterator = messages.makeAsyncIterator()
        #expect(try await iterator.next()?.text == "1")
        #expect(try await iterator.next() == nil)
    }

    @Test("A sequence of unclaimed messages that another one has replaced holds up nothing, and can still be read")
    func replacedUnclaimed() async throws {
        let (broker, _) = try await FakeBroker.connected()
        let old = broker.client.unclaimedMessages(buffer: 1)
        try await broker.message("a", "1", 1)
        #expect(try await broker.inside { !$0.full.isEmpty })
        let new = broker.client.unclaimedMessages()
        #expect(try await broker.inside { $0.full.isEmpty && $0.owedCredit == 0 })
        try await broker.message("a", "2", 2)
        var iterator = new.makeAsyncIterator()
        #expect(try await iterator.next()?.text == "2")
        var rest = old.makeAsyncIterator()
        #expect(try await rest.next()?.text == "1")
        #expect(try await rest.next() == nil)
    }

    @Test("The sequence of unclaimed messages outlives a connect() that fails, and ends with the connection")
    func unclaimedAfterFailure() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        let client = broker.client
        let messages = client.unclaimedMessages(buffer: 1)
        let failing = Task { try await client.connect() }
        _ = await reader.dialed()
        try await broker.lose()
        await #expect(throws: MQTTClientError.self) { try await failing.value }
        for isFirst in [true, false] {
            async let answer = client.connect()
            _ = await reader.dialed()
            try await broker.accept()
            _ = try await answer
            try await broker.message("a", isFirst ? "kept" : "dropped", 1)
            try await broker.message("a", "more")
            if isFirst {
                await client.disconnect()
            } else {
                #expect(await reader.packet() == .puback(PublishAck(packetID: 1)))
            }
        }
        #expect(try await broker.inside { $0.full.isEmpty && $0.owedCredit == 0 })
        var iterator = messages.makeAsyncIterator()
        #expect(try await iterator.next()?.text == "kept")
        #expect(try await iterator.next()?.text == "more")
        #expect(try await iterator.next() == nil)
    }
}
