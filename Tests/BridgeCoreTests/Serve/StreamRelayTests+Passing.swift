import BridgeCore
import NIOCore
import Testing

/// The short way for bytes that only pass through.
extension StreamRelayTests {
    private static func states() -> [StreamRelay] {
        var judging = relaying()
        #expect(judging.brokerEnded() == [.judgeEnd])
        var brokerLeft = relaying()
        _ = brokerLeft.clientSent(disconnect, isEnd: true)
        var clientLeft = relaying()
        _ = clientLeft.shutDown()
        var over = relaying()
        _ = over.connectionLost("gone")
        #expect(over.isOver)
        return [relay(), connecting(), judging, brokerLeft, clientLeft, over]
    }

    private static let events: [@Sendable (inout StreamRelay) -> [RelayAction]] = [
        { $0.clientSent(connect(), isEnd: false) }, { $0.brokerSent(pingresp) }, { $0.progressed() },
        { $0.shutDown() },
    ]

    /// In every other state nothing passes, and nothing has changed by having asked.
    @Test func onlyARelayingOnePasses() {
        for state in Self.states() {
            var asked = state
            let passes = (asked.passesToBroker(Self.pingreq), asked.passesToClient(Self.pingresp))
            let ignoresProgress = asked.ignoresProgress()
            #expect(passes == (false, false) && !ignoresProgress)
            var unasked = state
            for act in Self.events {
                let (actions, expected) = (act(&asked), act(&unasked))
                #expect(actions == expected)
            }
        }
    }

    /// Packets are followed on the short way too: after DISCONNECT the client's end is its own decision.
    @Test func whatPassesIsFollowed() {
        var relay = Self.relaying()
        let passes = [Self.pingreq, Self.disconnect, Self.nothing].map { relay.passesToBroker($0) }
        let ignoresProgress = relay.ignoresProgress()
        #expect(passes == [true, true, false] && ignoresProgress && relay.progressed() == [])
        #expect(relay.connectionLost("gone") == [.finishBroker, .ended(.clientDisconnected)])
        relay = Self.relaying()
        let hasPassed = relay.passesToClient(ByteBuffer(bytes: [0xE0, 1, 0x8E]))
        #expect(hasPassed)
        #expect(relay.brokerEnded().contains(.ended(.brokerClosed)))
        relay = Self.relaying()
        _ = relay.passesToClient(ByteBuffer(bytes: [0x30]))
        #expect(relay.shutDown() == [Self.goodbye, .ended(.shutdown)])
    }
}
