import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

@Suite(.timeLimit(.minutes(2)))
struct RequestTableTests {
    @Test("A request that cannot be published subscribes to nothing")
    func invalidRequest() async throws {
        let (broker, _) = try await FakeBroker.connected()
        let client = broker.client
        await #expect(throws: MQTTClientError.self) {
            try await client.request(MQTTMessage("do/#"), timeout: .seconds(60))
        }
        #expect(try await broker.inside { $0.requests.topics.isEmpty && $0.session.subscriptions.entries.isEmpty })
    }

    @Test("A request that has its answer is not sent again in a new session")
    func answeredRequest() async throws {
        var configuration = MQTTClientConfiguration.test
        configuration.reconnect = .init(initial: .milliseconds(1))
        let (broker, first) = try await FakeBroker.connected(configuration)
        var reader = first
        async let answer = broker.client.request(MQTTMessage("do"), timeout: .seconds(60))
        try await broker.send(.suback(Suback(packetID: await reader.packetID(), codes: [1])))
        guard case .publish(let head, _)? = await reader.packet() else {
            Issue.record("not published")
            return
        }
        // The answer overtakes PUBACK, and PUBACK is lost.
        var properties = Properties()
        properties.correlationData = head.properties.correlationData
        let topic = try #require(head.properties.responseTopic)
        try await broker.send(.publish(PublishHead(topic: topic, properties: properties), payload: ByteBuffer()))
        _ = try await answer
        try await broker.lose()
        _ = await reader.dialed()
        try await broker.accept()
        #expect(try await broker.inside { $0.session.outstandingCount == 0 })
    }

    @Test("A client whose every request has a response topic of its own stays subscribed to some of them only")
    func manyTopics() async throws {
        let broker = try FakeBroker()
        var reader = FakeReader(broker)
        let client = broker.client
        async let connected = client.connect()
        _ = await reader.dialed()
        try await broker.accept()
        _ = try await connected
        var subscribed: Set<String> = []
        for number in 1...40 {
            var message = MQTTMessage("do")
            message.properties.responseTopic = "answers/\(number)"
            let sent = message
            let answer = Task { try await client.request(sent, timeout: .seconds(60)) }
            var isAnswered = false
            while !isAnswered, let packet = await reader.packet() {
                switch packet {
                case .subscribe(let packet):
                    subscribed.formUnion(packet.subscriptions.map(\.filter))
                    try await broker.send(.suback(Suback(packetID: packet.packetID, codes: [1])))
                case .unsubscribe(let packet):
                    subscribed.subtract(packet.filters)
                    try await broker.send(.unsuback(Unsuback(packetID: packet.packetID, codes: [0])))
                case .publish(let head, _):
                    var properties = Properties()
                    properties.correlationData = head.properties.correlationData
                    try await broker.send(
                        .publish(
                            PublishHead(topic: head.properties.responseTopic ?? "", properties: properties),
                            payload: ByteBuffer(string: "\(number)")))
                    try await broker.send(.puback(PublishAck(packetID: head.packetID ?? 0)))
                    isAnswered = true
                default: break
                }
            }
            #expect(try await answer.value.text == "\(number)")
        }
        #expect(subscribed.count == RequestTable.mostTopics && subscribed.contains("answers/40"))
        let kept = try await broker.inside { ($0.requests.topics.count, $0.session.subscriptions.entries.count) }
        #expect(kept == (RequestTable.mostTopics, RequestTable.mostTopics))
    }
}
