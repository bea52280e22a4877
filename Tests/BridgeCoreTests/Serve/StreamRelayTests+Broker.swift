import BridgeCore
import NIOCore
import Testing

/// Ends of the broker.
extension StreamRelayTests {
    @Test func theEndOfASessionIsAFIN() {
        var relay = Self.relaying()
        #expect(relay.brokerEnded() == [.judgeEnd])
        #expect(relay.clientSent(Self.pingreq, isEnd: false) == [.discard(bytes: 2)])
        #expect(
            relay.endJudged(isBrokerThere: true) == [
                .finishBroker, .finishClient, Self.goodbye, .ended(.brokerClosed),
            ])
        #expect(relay.clientSent(Self.pingreq, isEnd: false) == [.discard(bytes: 2)])
        #expect(relay.clientSent(Self.nothing, isEnd: true) == [.stop(.goodbye)])
        #expect(relay.isOver)
    }

    /// EMQX does the same after a DISCONNECT without FIN.
    @Test func aClientThatDoesNotFinishIsReset() {
        var relay = Self.relaying()
        _ = relay.clientSent(Self.disconnect, isEnd: false)
        #expect(
            relay.brokerEnded() == [.finishBroker, .finishClient, Self.goodbye, .ended(.clientDisconnected)])
        #expect(relay.timedOut(.goodbye) == [.resetClient(code: 0)])
        #expect(relay.isOver)
    }

    @Test func aBrokenTCPConnectionIsAReset() {
        var relay = Self.relaying()
        #expect(
            relay.brokerFailed("no route", byBroker: false) == [
                .countEnd, .resetClient(code: 2), .ended(.brokerLost("no route")),
            ])
        var other = Self.relaying()
        #expect(other.brokerFailed("reset", byBroker: true) == [.judgeEnd])
        #expect(
            other.endJudged(isBrokerThere: true) == [.resetClient(code: 0), .ended(.brokerLost("reset"))])
    }

    /// A client should come back to a broker that died, but not to one that has sent it away.
    @Test func theEndOfTheBrokerIsNotThatOfASession() {
        var relay = Self.relaying()
        #expect(relay.brokerEnded() == [.judgeEnd])
        #expect(
            relay.endJudged(isBrokerThere: false) == [
                .finishBroker, .resetClient(code: 2),
                .ended(.brokerLost("the broker no longer accepts connections")),
            ])
        #expect(relay.isOver)
        var reset = Self.relaying()
        _ = reset.brokerFailed("reset", byBroker: true)
        #expect(
            reset.endJudged(isBrokerThere: false) == [
                .finishBroker, .resetClient(code: 2), .ended(.brokerLost("reset")),
            ])
    }

    @Test func aBrokerThatSaysWhyIsNotAskedAgain() {
        var relay = Self.relaying()
        _ = relay.brokerSent(ByteBuffer(bytes: [0xE0, 1, 0x8E]))
        #expect(
            relay.brokerEnded() == [.countEnd, .finishBroker, .finishClient, Self.goodbye, .ended(.brokerClosed)])
    }

    @Test func aClientMayEndWhileTheBrokerIsAsked() {
        var relay = Self.relaying()
        _ = relay.brokerEnded()
        #expect(relay.clientSent(Self.nothing, isEnd: true) == [])
        #expect(
            relay.endJudged(isBrokerThere: true) == [
                .finishBroker, .finishClient, Self.goodbye, .ended(.brokerClosed), .stop(.goodbye),
            ])
        #expect(relay.isOver)
        var gone = Self.relaying()
        _ = gone.brokerEnded()
        #expect(gone.connectionLost("idle") == [.finishBroker, .ended(.brokerClosed)])
        #expect(gone.endJudged(isBrokerThere: true) == [])
        var stopped = Self.relaying()
        _ = stopped.brokerEnded()
        #expect(stopped.shutDown() == [.finishBroker, .resetClient(code: 2), .ended(.shutdown)])
    }

    private static let refusals: [(UInt8, [UInt8])] = [
        (5, [0x20, 3, 0, 0x88, 0]), (4, [0x20, 2, 0, 3]), (3, [0x20, 2, 0, 3]), (9, [0x20, 2, 0, 3]),
    ]

    @Test(arguments: refusals)
    func anUnreachableBrokerIsAConnack(level: UInt8, connack: [UInt8]) {
        var relay = Self.connecting(level)
        let count = Self.connect(level).readableBytes
        #expect(
            relay.brokerUnreachable("refused") == [
                .discard(bytes: count), .sendToClient(ByteBuffer(bytes: connack)), .finishClient, Self.goodbye,
                .ended(.brokerUnreachable("refused")),
            ])
        #expect(relay.clientSent(Self.nothing, isEnd: true) == [.stop(.goodbye)])
    }

    /// The relay waits for a side that is slow, but not for one that takes nothing.
    @Test func progressPutsTheEndOff() {
        var relay = Self.relaying()
        #expect(relay.progressed() == [])
        _ = relay.brokerEnded()
        _ = relay.endJudged(isBrokerThere: true)
        #expect(relay.progressed() == [Self.goodbye])
        _ = relay.timedOut(.goodbye)
        #expect(relay.progressed() == [])
        var other = Self.relaying()
        _ = other.clientSent(Self.disconnect, isEnd: true)
        #expect(other.progressed() == [Self.brokersGoodbye])
    }
}
