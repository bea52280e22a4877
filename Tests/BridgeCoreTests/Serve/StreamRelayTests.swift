import BridgeCore
import MQTTCodec
import NIOCore
import Testing

@Suite struct StreamRelayTests {
    static let goodbye = RelayAction.start(.goodbye, after: StreamRelay.goodbye)
    static let brokersGoodbye = RelayAction.start(.goodbye, after: StreamRelay.brokerPatience)

    static func connect(_ level: UInt8 = 5) -> ByteBuffer {
        level == 5
            ? ByteBuffer(bytes: [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 0])
            : ByteBuffer(bytes: [0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, level, 2, 0, 60, 0, 0])
    }
    static let connack = ByteBuffer(bytes: [0x20, 3, 0, 0, 0])
    static let pingreq = ByteBuffer(bytes: [0xC0, 0])
    static let pingresp = ByteBuffer(bytes: [0xD0, 0])
    static let disconnect = ByteBuffer(bytes: [0xE0, 0])
    static let nothing = ByteBuffer()

    static func relay(maximumConnect: Int = 1_000) -> StreamRelay {
        StreamRelay(context: .init(connectWithin: .seconds(5), maximumConnect: maximumConnect))
    }

    static func connecting(_ level: UInt8 = 5) -> StreamRelay {
        var relay = relay()
        #expect(relay.clientSent(connect(level), isEnd: false) == [.stop(.connectPacket), .connectBroker])
        return relay
    }

    static func relaying(_ level: UInt8 = 5) -> StreamRelay {
        var relay = connecting(level)
        #expect(relay.brokerConnected() == [.sendToBroker(connect(level))])
        #expect(relay.brokerSent(connack) == [.sendToClient(connack)])
        return relay
    }

    /// The broker can do nothing with the middle of a packet, and so it may wait for more.
    @Test func theMiddleOfAPacketIsKnown() {
        var relay = Self.relaying()
        let steps: [(bytes: Int, isInner: Bool)] = [(10, false), (100, true), (89, true), (1, false)]
        let publish = [0x30, 0x80 | 69, 1] + [UInt8](repeating: 0, count: 197)
        var sent = 0
        for step in steps {
            let bytes = ByteBuffer(bytes: publish[sent..<sent + step.bytes])
            sent += step.bytes
            #expect(relay.clientSent(bytes, isEnd: false) == [.sendToBroker(bytes)])
            #expect(relay.isInnerPart == step.isInner, "\(sent)")
        }
        #expect(sent == publish.count)
        // Whole packets, and then a part of one.
        let more = ByteBuffer(bytes: [0xC0, 0, 0xC0, 0] + publish.prefix(100))
        #expect(relay.clientSent(more, isEnd: false) == [.sendToBroker(more)])
        #expect(!relay.isInnerPart)
    }

    // MARK: - The beginning

    @Test func nothingIsOpenedBeforeAWholeConnect() {
        var relay = Self.relay()
        #expect(relay.started() == [.start(.connectPacket, after: .seconds(5))])
        let bytes = Array(Self.connect().readableBytesView)
        for byte in bytes.dropLast() { #expect(relay.clientSent(ByteBuffer(bytes: [byte]), isEnd: false) == []) }
        #expect(relay.connectPacket == nil)
        let last = ByteBuffer(bytes: bytes.suffix(1))
        #expect(relay.clientSent(last, isEnd: false) == [.stop(.connectPacket), .connectBroker])
        #expect(relay.connectPacket == Self.connect() && relay.version == .v5_0)
        #expect(relay.brokerConnected() == bytes.map { .sendToBroker(ByteBuffer(bytes: [$0])) })
        #expect(relay.connectPacket == nil)
    }

    @Test func whatComesWithConnectWaitsForTheBroker() {
        var relay = Self.relay()
        var bytes = Self.connect(4)
        bytes.writeImmutableBuffer(Self.pingreq)
        #expect(relay.clientSent(bytes, isEnd: false) == [.stop(.connectPacket), .connectBroker])
        #expect(relay.connectPacket == Self.connect(4) && relay.version == .v3_1_1)
        #expect(relay.clientSent(Self.pingreq, isEnd: true) == [])
        #expect(
            relay.brokerConnected() == [
                .sendToBroker(bytes), .sendToBroker(Self.pingreq), .finishBroker, Self.brokersGoodbye,
                .ended(.clientFinished),
            ])
    }

    @Test(arguments: [0x11, 0x1F, 0x16] as [UInt8])
    func theBrokerJudgesTheFlagsOfConnect(first: UInt8) {
        var relay = Self.relay()
        let bytes = ByteBuffer(bytes: [first, 2, 0, 0])
        #expect(relay.clientSent(bytes, isEnd: false) == [.stop(.connectPacket), .connectBroker])
        #expect(relay.brokerConnected() == [.sendToBroker(bytes)])
    }

    @Test(arguments: [
        ([UInt8]([0xC0, 0]), "the first packet has to be CONNECT"), ([0x21, 2], "the first packet has to be CONNECT"),
        // There are no devices here, and no TCP.
        (Array("GET / HTTP/1.1".utf8), "HTTP (MQTT over WebSocket?), but serve takes plain MQTT on QUIC streams only"),
        ([0x16, 0x03, 0x01], "it speaks TLS inside its QUIC stream"),
        (Array("PROXY TCP4".utf8), "PROXY protocol header, which serve does not take"),
    ])
    func aFirstPacketOtherThanConnectIsReset(bytes: [UInt8], word: String) throws {
        var relay = Self.relay()
        let actions = relay.clientSent(ByteBuffer(bytes: bytes), isEnd: false)
        #expect(
            actions.prefix(3) == [.stop(.connectPacket), .discard(bytes: bytes.count), .resetClient(code: 0x382)])
        guard case .ended(.violation(let what))? = actions.last else {
            Issue.record("\(actions)")
            return
        }
        #expect(what.contains(word) && relay.isOver)
        #expect(relay.clientSent(Self.pingreq, isEnd: false) == [.discard(bytes: 2)])
    }

    @Test func aConnectLongerThanTheBufferIsReset() {
        var relay = Self.relay(maximumConnect: 1_000)
        #expect(relay.clientSent(ByteBuffer(bytes: [0x10, 0x80 | 101, 7]), isEnd: false) == [])
        var other = Self.relay(maximumConnect: 1_000)
        let actions = other.clientSent(ByteBuffer(bytes: [0x10, 0x80 | 102, 7]), isEnd: false)
        #expect(actions.contains(.resetClient(code: 0x395)) && other.isOver)
    }

    @Test func noConnectInTimeIsReset() {
        var relay = Self.relay()
        _ = relay.clientSent(ByteBuffer(bytes: [0x10]), isEnd: false)
        #expect(
            relay.timedOut(.connectPacket) == [
                .discard(bytes: 1), .resetClient(code: 0x380), .ended(.noConnectPacket),
            ])
        var later = Self.relaying()
        #expect(later.timedOut(.connectPacket) == [])
    }

    @Test func aStreamWithoutConnectJustEnds() {
        var relay = Self.relay()
        #expect(
            relay.clientSent(Self.nothing, isEnd: true) == [
                .stop(.connectPacket), .finishClient, .ended(.clientFinished),
            ])
        #expect(relay.isOver)
    }

    @Test func aClientWithWaitingBytesIsSentAwayOnOverload() {
        var relay = Self.relay()
        _ = relay.clientSent(ByteBuffer(bytes: [0x10, 100, 0]), isEnd: false)
        #expect(relay.waitingBytes == 3)
        let end: [RelayAction] = [.resetClient(code: 2), .ended(.overloaded)]
        #expect(relay.overloaded() == [.stop(.connectPacket), .discard(bytes: 3)] + end)
        #expect(relay.waitingBytes == 0 && relay.isOver)
        var connecting = Self.connecting()
        #expect(connecting.waitingBytes == 15)
        #expect(connecting.overloaded() == [.abortBroker, .discard(bytes: 15)] + end)
        var relaying = Self.relaying()
        #expect(relaying.waitingBytes == 0 && relaying.overloaded() == [])
    }

    @Test func waitingRoomsOfALoopCountTogether() {
        let loop = WaitingRoom(capacity: 100)
        let one = WaitingRoom(capacity: 60, parent: loop)
        let other = WaitingRoom(capacity: 60, parent: loop)
        one.change(by: 60)
        #expect(!one.isOverfull)
        one.change(by: 1)
        #expect(one.isOverfull && !other.isOverfull)
        one.change(by: -10)
        other.change(by: 50)
        #expect(one.isOverfull && other.isOverfull && loop.bytes == 101)
        other.change(by: -1)
        #expect(!one.isOverfull && !other.isOverfull)
    }

    // MARK: - Ends of the client

    @Test func packetsPassAsTheyAre() {
        var relay = Self.relaying()
        #expect(relay.clientSent(Self.pingreq, isEnd: false) == [.sendToBroker(Self.pingreq)])
        #expect(relay.brokerSent(Self.pingresp) == [.sendToClient(Self.pingresp)])
    }

    @Test func finAfterDisconnectLetsTheBrokerFinish() {
        var relay = Self.relaying()
        #expect(
            relay.clientSent(Self.disconnect, isEnd: true) == [
                .sendToBroker(Self.disconnect), .finishBroker, Self.brokersGoodbye, .ended(.clientDisconnected),
            ])
        #expect(relay.brokerSent(Self.pingresp) == [.sendToClient(Self.pingresp)])
        #expect(relay.brokerEnded() == [.stop(.goodbye), .finishClient])
        #expect(relay.isOver)
    }

    @Test func finAloneIsALostClientForTheBroker() {
        var relay = Self.relaying()
        #expect(
            relay.clientSent(Self.nothing, isEnd: true) == [
                .finishBroker, Self.brokersGoodbye, .ended(.clientFinished),
            ])
        #expect(relay.brokerEnded() == [.stop(.goodbye), .finishClient])
    }

    @Test func aBrokerThatDoesNotFinishIsReset() {
        var relay = Self.relaying()
        _ = relay.clientSent(Self.disconnect, isEnd: true)
        // The broker may not have read DISCONNECT.
        #expect(relay.timedOut(.goodbye) == [.abortBroker, .resetClient(code: ServeCode.goingAway)])
        #expect(relay.isOver)
    }

    @Test func aBrokerThatBreaksWhileItFinishesHasFinished() {
        var relay = Self.relaying()
        _ = relay.clientSent(Self.disconnect, isEnd: true)
        #expect(relay.brokerFailed("reset", byBroker: true) == [.stop(.goodbye), .finishClient])
    }

    @Test func aResetIsAnAbruptEnd() {
        var relay = Self.relaying()
        #expect(
            relay.clientReset(code: 7) == [
                .abortBroker, .resetClient(code: 7), .ended(.clientReset(code: 7)),
            ])
        #expect(relay.isOver && relay.clientStopped() == [])
    }

    @Test func stopSendingIsAnAbruptEndToo() {
        var relay = Self.relaying()
        #expect(
            relay.clientStopped() == [.abortBroker, .resetClient(code: 0), .ended(.clientReset(code: nil))])
        var ended = Self.relaying()
        _ = ended.clientSent(Self.disconnect, isEnd: true)
        #expect(ended.clientStopped() == [])
    }

    @Test func aLostConnectionIsAnAbruptEnd() {
        var relay = Self.relaying()
        #expect(relay.connectionLost("idle") == [.abortBroker, .ended(.connectionLost("idle"))])
        var waiting = Self.connecting()
        #expect(
            waiting.connectionLost("idle") == [
                .abortBroker, .discard(bytes: Self.connect().readableBytes), .ended(.connectionLost("idle")),
            ])
        #expect(waiting.brokerConnected() == [.abortBroker])
        var fresh = Self.relay()
        #expect(fresh.connectionLost("idle") == [.stop(.connectPacket), .ended(.connectionLost("idle"))])
    }

    /// A TCP reset could discard the DISCONNECT, and the broker would publish the will.
    @Test func aLostConnectionAfterDisconnectIsClean() {
        var relay = Self.relaying()
        _ = relay.clientSent(Self.disconnect, isEnd: false)
        #expect(relay.connectionLost("closed") == [.finishBroker, .ended(.clientDisconnected)])
        var reset = Self.relaying()
        _ = reset.clientSent(Self.disconnect, isEnd: false)
        #expect(reset.clientReset(code: 0) == [.finishBroker, .resetClient(code: 0), .ended(.clientDisconnected)])
    }
}
