import MQTTCodec
import NIOCore

/// One stream of a client and its TCP connection to the broker: what an end of one side means for the other.
///
/// ```
///   awaitingConnect ── whole CONNECT ──▶ connecting ── TCP is there ──▶ relaying
///        │ no CONNECT: reset                │ unreachable: CONNACK, FIN    │
///        ▼                                  ▼                              │
///      over                             clientLeft?                        │
///                                           ▲                              │
///   relaying ── client's FIN ──────────▶ brokerLeft ── broker's end, or time is up: FIN ──▶ over
///            ── broker's end ──────────▶ judging ──── the broker is gone: reset ───────────▶ over
///                                           │ it is there: FIN
///                                           ▼
///                                       clientLeft ── client's end, or time is up: reset ─▶ over
///            ── shutdown in a packet ──▶ completing ── packet whole: DISCONNECT, FIN ──────▶ clientLeft
///            ── reset, lost: TCP reset ─▶ over
/// ```
/// `brokerLeft`: only the broker is left to end; `clientLeft`: only the client is. `judging`: TCP does not tell whether a
/// broker ended this session or its own life, and a client acts differently on them (see ``BrokerPulse``). Packets pass through unchanged; of
/// their contents only the fixed headers are looked at, and CONNECT's protocol level.
package struct StreamRelay: Sendable {
    /// How long the second side may take to end after the first, without taking any of what is under way to it.
    package static let goodbye: Duration = .seconds(3)

    package struct Context: Sendable {
        /// For a whole CONNECT, from the stream's first byte.
        package var connectWithin: Duration
        /// Bytes of a CONNECT: those that wait are within the stream's flow control window.
        package var maximumConnect: Int

        package init(connectWithin: Duration, maximumConnect: Int) {
            self.connectWithin = connectWithin
            self.maximumConnect = maximumConnect
        }
    }

    enum State: Sendable {
        case awaitingConnect
        case connecting(clientHasEnded: Bool)
        case relaying
        case brokerLeft
        /// `why` where the connection broke rather than ended.
        case judging(why: String?, clientHasEnded: Bool)
        case completing
        case clientLeft
        case over
    }

    let context: Context
    var state = State.awaitingConnect
    /// What came before the TCP connection: bounded by the stream's flow control window.
    var held: [ByteBuffer] = []
    /// Bytes that wait for the TCP connection.
    package internal(set) var waitingBytes = 0
    var up = PacketScanner()
    var down = PacketScanner()

    package init(context: Context) {
        self.context = context
    }

    /// The first actions of every relay.
    package func started() -> [RelayAction] {
        [.start(.connectPacket, after: context.connectWithin)]
    }

    package var isOver: Bool {
        if case .over = state { true } else { false }
    }

    /// Whether the session has reached the broker: CONNECT was there, and then a TCP connection.
    package var isRelaying: Bool {
        switch state {
        case .relaying, .brokerLeft, .completing: true
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over: false
        }
    }

    /// As CONNECT says. Versions that do not exist are treated as the old ones.
    package var version: MQTTVersion {
        up.protocolLevel.flatMap(MQTTVersion.init(rawValue:)) ?? .v3_1_1
    }
}

// MARK: - The client

extension StreamRelay {
    /// Bytes of the client; `isEnd` with its FIN.
    package mutating func clientSent(_ bytes: ByteBuffer, isEnd: Bool) -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            return beganWith(bytes, isEnd: isEnd)
        case .connecting(let hasEnded):
            hold(bytes)
            state = .connecting(clientHasEnded: hasEnded || isEnd)
            return []
        case .relaying:
            up.scan(bytes)
            let data: [RelayAction] = bytes.readableBytes > 0 ? [.sendToBroker(bytes)] : []
            return isEnd ? data + clientEnded() : data
        case .completing, .brokerLeft, .over:
            return discard(bytes.readableBytes)
        case .judging(let why, let hasEnded):
            state = .judging(why: why, clientHasEnded: hasEnded || isEnd)
            return discard(bytes.readableBytes)
        case .clientLeft:
            return discard(bytes.readableBytes) + (isEnd ? over([.stop(.goodbye)]) : [])
        }
    }

    /// RESET_STREAM; it is answered with the same code, as EMQX does.
    package mutating func clientReset(code: UInt64) -> [RelayAction] {
        clientGone(.clientReset(code: code), [.resetClient(code: code)])
    }

    /// STOP_SENDING: a client that reads no more has left. After its own end that is no news.
    package mutating func clientStopped() -> [RelayAction] {
        switch state {
        case .brokerLeft, .clientLeft, .over: []
        case .awaitingConnect, .connecting, .relaying, .judging, .completing:
            clientGone(.clientReset(code: nil), [.resetClient(code: ServeCode.none)])
        }
    }

    /// The QUIC connection is gone.
    package mutating func connectionLost(_ why: String) -> [RelayAction] {
        clientGone(.connectionLost(why), [])
    }

    /// More bytes of clients wait for the broker than there is room for, and this one's are among them.
    package mutating func overloaded() -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            over([.stop(.connectPacket)] + drop() + [.resetClient(code: ServeCode.goingAway), .ended(.overloaded)])
        case .connecting:
            over([.abortBroker] + drop() + [.resetClient(code: ServeCode.goingAway), .ended(.overloaded)])
        case .relaying, .brokerLeft, .judging, .completing, .clientLeft, .over:
            []
        }
    }

    private mutating func hold(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        up.scan(bytes)
        held.append(bytes)
        waitingBytes += bytes.readableBytes
    }

    private mutating func beganWith(_ bytes: ByteBuffer, isEnd: Bool) -> [RelayAction] {
        hold(bytes)
        // Which flags a CONNECT may have is the broker's to say; but 0x16 may be a TLS handshake on the wrong port.
        let isConnect = up.firstByte.map { $0 >> 4 == PacketType.connect.rawValue } ?? true
        let start = held.first ?? bytes
        guard isConnect, up.firstByte != 0x16 || ForeignProtocol.guess(start) == nil else { return refuse(start) }
        if up.hasSeenPacket {
            state = .connecting(clientHasEnded: isEnd)
            return [.stop(.connectPacket), .connectBroker]
        }
        if let length = up.firstLength, length > context.maximumConnect {
            return violation(
                .packetTooLarge,
                "CONNECT is \(length) bytes long, and the limit \(context.maximumConnect) (serve.stream_buffer)")
        }
        guard isEnd else { return [] }
        return over([.stop(.connectPacket)] + drop() + [.finishClient, .ended(.clientFinished)])
    }

    private mutating func refuse(_ start: ByteBuffer) -> [RelayAction] {
        violation(.protocolError, ForeignProtocol.guess(start) ?? "the first packet has to be CONNECT")
    }

    private mutating func violation(_ reason: ReasonCode, _ what: String) -> [RelayAction] {
        over(
            [.stop(.connectPacket)] + drop() + [.resetClient(code: ServeCode.reason(reason)), .ended(.violation(what))])
    }

    private mutating func clientEnded() -> [RelayAction] {
        state = .brokerLeft
        return [
            .finishBroker, .start(.goodbye, after: Self.goodbye),
            .ended(hasDisconnected ? .clientDisconnected : .clientFinished),
        ]
    }

    /// A DISCONNECT was the last that came, so that what is under way to the broker counts.
    var hasDisconnected: Bool { up.hasSeen(.disconnect) }

    private mutating func clientGone(_ why: RelayEnd, _ answer: [RelayAction]) -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            return over([.stop(.connectPacket)] + drop() + answer + [.ended(why)])
        case .connecting:
            return over([.abortBroker] + drop() + answer + [.ended(why)])
        case .relaying:
            // A reset would take DISCONNECT back from the broker's socket.
            guard hasDisconnected else { return over([.abortBroker] + answer + [.ended(why)]) }
            return over([.finishBroker] + answer + [.ended(.clientDisconnected)])
        case .judging:
            return over([.finishBroker] + answer + [.ended(.brokerClosed)])
        case .completing:
            return over([.finishBroker, .stop(.goodbye)] + answer)
        case .brokerLeft, .clientLeft:
            return over([.stop(.goodbye)] + answer)
        case .over:
            return []
        }
    }
}

// MARK: - The broker

extension StreamRelay {
    package mutating func brokerConnected() -> [RelayAction] {
        guard case .connecting(let clientHasEnded) = state else { return [.abortBroker] }
        state = .relaying
        let data = held.map { RelayAction.sendToBroker($0) }
        held = []
        waitingBytes = 0
        return clientHasEnded ? data + clientEnded() : data
    }

    /// `why` is a sentence for people.
    package mutating func brokerUnreachable(_ why: String) -> [RelayAction] {
        guard case .connecting = state else { return [] }
        return refusal() + [.ended(.brokerUnreachable(why))]
    }

    package mutating func brokerSent(_ bytes: ByteBuffer) -> [RelayAction] {
        switch state {
        case .relaying, .brokerLeft:
            down.scan(bytes)
            return [.sendToClient(bytes)]
        case .completing:
            let count = down.scan(bytes, stopsAtBoundary: true)
            let rest = bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer()
            return [.sendToClient(rest)] + (down.isAtBoundary ? farewell() : [])
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over:
            return []
        }
    }

    /// The broker's FIN: nothing more comes.
    package mutating func brokerEnded() -> [RelayAction] {
        switch state {
        case .relaying where hasDisconnected:
            return endClient(.clientDisconnected)
        case .relaying where down.hasSeen(.disconnect):
            return [.countEnd] + endClient(.brokerClosed)
        case .relaying:
            state = .judging(why: nil, clientHasEnded: false)
            return [.judgeEnd]
        case .brokerLeft:
            return over([.stop(.goodbye), .finishClient])
        case .completing:
            // In the middle of a packet, which DISCONNECT can't follow.
            state = .clientLeft
            return [.finishBroker, .finishClient]
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over:
            return []
        }
    }

    private mutating func endClient(_ why: RelayEnd) -> [RelayAction] {
        state = .clientLeft
        return [.finishBroker, .finishClient, .start(.goodbye, after: Self.goodbye), .ended(why)]
    }

    /// The answer to `.judgeEnd`. A broker that is there ended this session by its own decision, as for a client that was
    /// taken over: not worth another attempt. One that is gone will be back.
    package mutating func endJudged(isBrokerThere: Bool) -> [RelayAction] {
        guard case .judging(let why, let clientHasEnded) = state else { return [] }
        guard isBrokerThere else {
            let end = RelayEnd.brokerLost(why ?? "it takes no connections any more")
            return over([.finishBroker, .resetClient(code: ServeCode.goingAway), .ended(end)])
        }
        if let why { return over([.resetClient(code: ServeCode.none), .ended(.brokerLost(why))]) }
        let actions = endClient(.brokerClosed)
        return clientHasEnded ? over(actions + [.stop(.goodbye)]) : actions
    }

    /// The TCP connection broke.
    /// - Parameter byBroker: it was reset. A broker that closes while bytes of the client wait to be read does that too,
    ///   so it may be an end that the broker chose.
    package mutating func brokerFailed(_ why: String, byBroker: Bool) -> [RelayAction] {
        switch state {
        case .relaying:
            guard !hasDisconnected else { return brokerEnded() }
            guard byBroker else {
                return over([.countEnd, .resetClient(code: ServeCode.goingAway), .ended(.brokerLost(why))])
            }
            state = .judging(why: why, clientHasEnded: false)
            return [.judgeEnd]
        case .brokerLeft:
            return over([.stop(.goodbye), .finishClient])
        case .completing:
            return over([.stop(.goodbye), .resetClient(code: ServeCode.goingAway)])
        case .awaitingConnect, .connecting, .judging, .clientLeft, .over:
            return []
        }
    }
}
