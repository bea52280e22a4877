import BridgeCore
import NIOCore
import Testing

/// The shutdown of the server.
extension StreamRelayTests {
    @Test(arguments: [3, 4])
    func aResetCodeTellsOldVersionsOfTheShutdown(level: UInt8) {
        var relay = Self.relaying(level)
        #expect(relay.shutDown() == [.finishBroker, .resetClient(code: 2), .ended(.shutdown)])
        #expect(relay.isOver)
    }

    @Test func aResetCodeSendsOldVersionsElsewhere() {
        var relay = Self.relaying(4)
        let code = ServeCode.goElsewhere
        #expect(relay.shutDown(code) == [.finishBroker, .resetClient(code: code), .ended(.shutdown)])
    }

    @Test func aSessionIsToldOfTheShutdown() {
        var relay = Self.relaying()
        #expect(
            relay.shutDown() == [
                Self.goodbye, .ended(.shutdown), .finishBroker, .sendToClient(ByteBuffer(bytes: [0xE0, 1, 0x8B])),
                .finishClient,
            ])
        #expect(relay.shutDown() == [] && relay.brokerEnded() == [])
        #expect(relay.clientSent(Self.nothing, isEnd: true) == [.stop(.goodbye)])
    }

    @Test func anOperatorRemovesAClient() {
        let code = ServeCode.reason(.administrativeAction)
        var old = Self.relaying(4)
        #expect(old.removedByOperator() == [.finishBroker, .resetClient(code: code), .ended(.removedByOperator)])
        #expect(old.isOver && old.removedByOperator() == [])
        var new = Self.relaying()
        #expect(
            new.removedByOperator() == [
                .finishBroker, .sendToClient(ByteBuffer(bytes: [0xE0, 1, 0x98])), .finishClient, Self.goodbye,
                .ended(.removedByOperator),
            ])
        // Nothing may be put into a packet that is under way.
        var inside = Self.relaying()
        _ = inside.brokerSent(ByteBuffer(bytes: [0x30, 5]))
        #expect(inside.removedByOperator() == [.finishBroker, .resetClient(code: code), .ended(.removedByOperator)])
    }

    @Test func aPacketUnderWayIsCompletedFirst() {
        var relay = Self.relaying()
        let publish = ByteBuffer(bytes: [0x30, 5, 0, 1, 0x61, 1, 2])
        let (start, rest) = (publish.getSlice(at: 0, length: 3)!, publish.getSlice(at: 3, length: 4)!)
        #expect(relay.brokerSent(start) == [.sendToClient(start)])
        #expect(relay.shutDown() == [Self.goodbye, .ended(.shutdown)])
        var more = rest
        more.writeImmutableBuffer(Self.pingresp)
        #expect(
            relay.brokerSent(more) == [
                .sendToClient(rest), .finishBroker, .sendToClient(ByteBuffer(bytes: [0xE0, 1, 0x8B])), .finishClient,
            ])
        #expect(relay.brokerSent(Self.pingresp) == [])
    }

    @Test func aPacketThatIsNotCompletedIsCutOff() {
        var relay = Self.relaying()
        _ = relay.brokerSent(ByteBuffer(bytes: [0x30, 5]))
        _ = relay.shutDown()
        #expect(relay.timedOut(.goodbye) == [.finishBroker, .resetClient(code: 2)])
        #expect(relay.isOver)
    }

    @Test func aSessionWithoutConnackGetsOne() {
        var relay = Self.connecting()
        _ = relay.brokerConnected()
        #expect(
            relay.shutDown() == [
                Self.goodbye, .ended(.shutdown), .finishBroker,
                .sendToClient(ByteBuffer(bytes: [0x20, 3, 0, 0x88, 0])),
                .finishClient,
            ])
        var waiting = Self.connecting(4)
        #expect(
            waiting.shutDown() == [
                .abortBroker, .discard(bytes: 14), .sendToClient(ByteBuffer(bytes: [0x20, 2, 0, 3])), .finishClient,
                Self.goodbye, .ended(.shutdown),
            ])
        #expect(waiting.brokerConnected() == [.abortBroker])
        var fresh = Self.relay()
        #expect(
            fresh.shutDown() == [.stop(.connectPacket), .finishClient, Self.goodbye, .ended(.shutdown)])
    }

    @Test func aBrokerThatHasSaidDisconnectIsNotContradicted() {
        var relay = Self.relaying()
        _ = relay.brokerSent(ByteBuffer(bytes: [0xE0, 1, 0x8E]))
        #expect(relay.shutDown() == [Self.goodbye, .ended(.shutdown), .finishBroker, .finishClient])
    }

    @Test func aSessionThatEndsByItselfIsLeftToIt() {
        var relay = Self.relaying()
        _ = relay.clientSent(Self.disconnect, isEnd: true)
        #expect(relay.shutDown() == [])
        #expect(relay.brokerEnded() == [.stop(.goodbye), .finishClient])
    }
}
