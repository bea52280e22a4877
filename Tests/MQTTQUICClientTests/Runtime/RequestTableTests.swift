import MQTTCodec
import NIOCore
import Testing

@testable import MQTTQUICClient

@Suite(.timeLimit(.minutes(2)))
struct RequestTableTests {
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
