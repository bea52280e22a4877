import BridgeCore
import NIOCore
import Testing

/// How many messages pass.
extension StreamRelayTests {
    @Test func eachMessageIsTakenOnce() {
        var relay = Self.relaying()
        let message: [UInt8] = [0x30, 5, 0, 1, 0x61, 0, 0x62]
        let passes = relay.passesToBroker(ByteBuffer(bytes: message + message + [0xC0, 0] + message.prefix(3)))
        #expect(passes)
        #expect([relay.takeMessagesUp(), relay.takeMessagesUp(), relay.takeMessagesDown()] == [2, 0, 0])
        _ = relay.clientSent(ByteBuffer(bytes: message.dropFirst(3)), isEnd: false)
        #expect(relay.takeMessagesUp() == 1)
        let comesBack = relay.passesToClient(ByteBuffer(bytes: message))
        #expect(comesBack)
        #expect([relay.takeMessagesDown(), relay.takeMessagesUp()] == [1, 0])
    }
}
