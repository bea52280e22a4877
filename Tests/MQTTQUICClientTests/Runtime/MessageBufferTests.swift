import NIOCore
import Testing

@testable import MQTTQUICClient

struct MessageBufferTests {
    @Test("A message weighs what all of its parts take, not its payload alone")
    func weight() {
        var message = MQTTMessage("a/b", "123")
        #expect(message.weight == 256 + 3 + 3)
        message.properties.contentType = "text"
        message.properties.responseTopic = "answers"
        message.properties.correlationData = ByteBuffer(string: "12345")
        #expect(message.weight == 256 + 6 + 4 + 7 + 5)
        message.properties.userProperties = [MQTTUserProperty("name", "value"), MQTTUserProperty("", "")]
        #expect(message.weight == 256 + 6 + 16 + 64 + 9 + 64)
        message.properties.subscriptionIdentifiers = [1, 2]
        #expect(message.weight == 256 + 6 + 16 + 64 + 9 + 64 + 8)
    }

    @Test("Messages that consist of user properties fill a sequence as payloads do")
    func properties() async {
        let buffer = MessageBuffer(limit: 64) { _ in }
        var message = MQTTMessage("a", "", .atMostOnce)
        message.properties.userProperties = [MQTTUserProperty("", String(repeating: "x", count: 60_000))]
        for _ in 0..<17 { buffer.append(message, nil) }
        #expect(!buffer.isFull)
        buffer.append(message, nil)
        #expect(buffer.isFull)
        #expect(buffer.bytes == 18 * message.weight)
        for _ in 0..<18 { _ = await buffer.next() }
        #expect(buffer.bytes == 0 && !buffer.isFull)
    }
}
