import MQTTCodec
import NIOCore

/// Events of the client.
extension StreamRelay {
    /// The client sent bytes, and with `isEnd` also its FIN.
    package mutating func clientSent(_ bytes: ByteBuffer, isEnd: Bool) -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            return beganWith(bytes, isEnd: isEnd)
        case .connecting(let hasEnded):
            hold(bytes)
            state = .connecting(clientHasEnded: hasEnded || isEnd)
            return []
        case .relaying:
            follow(bytes)
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

    /// The client sent bytes. Returns true if they go to the broker and nothing else is to be done, as it is with almost
    /// all bytes; otherwise nothing has happened, and ``clientSent(_:isEnd:)`` says what is to be done.
    package mutating func passesToBroker(_ bytes: ByteBuffer) -> Bool {
        guard case .relaying = state, bytes.readableBytes > 0 else { return false }
        follow(bytes)
        return true
    }

    /// The client sent RESET_STREAM. Like EMQX, the relay answers with the same code.
    package mutating func clientReset(code: UInt64) -> [RelayAction] {
        clientGone(.clientReset(code: code), [.resetClient(code: code)])
    }

    /// The client sent STOP_SENDING. A client that stops reading has left; once its own side has ended, this changes
    /// nothing.
    package mutating func clientStopped() -> [RelayAction] {
        switch state {
        case .brokerLeft, .clientLeft, .over: []
        case .awaitingConnect, .connecting, .relaying, .judging, .completing:
            clientGone(.clientReset(code: nil), [.resetClient(code: ServeCode.none)])
        }
    }

    /// The QUIC connection was closed or lost.
    package mutating func connectionLost(_ why: String) -> [RelayAction] {
        clientGone(.connectionLost(why), [])
    }

    /// The bytes that wait for the broker have exceeded a limit, and some of them are this client's.
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
        // The broker judges the flags of a CONNECT. But 0x16 may also begin a TLS handshake on the wrong port.
        let isConnect = up.firstByte.map { $0 >> 4 == PacketType.connect.rawValue } ?? true
        let start = held.first ?? bytes
        guard isConnect, up.firstByte != 0x16 || ForeignProtocol.guess(start, at: .stream) == nil else {
            return refuse(start)
        }
        if up.hasSeenPacket {
            state = .connecting(clientHasEnded: isEnd)
            return [.stop(.connectPacket), .connectBroker]
        }
        if let length = up.firstLength, length > context.maximumConnect {
            return violation(
                .packetTooLarge,
                "CONNECT is \(length) bytes long, and the limit is \(context.maximumConnect) (serve.stream_buffer)")
        }
        guard isEnd else { return [] }
        return over([.stop(.connectPacket)] + drop() + [.finishClient, .ended(.clientFinished)])
    }

    private mutating func refuse(_ start: ByteBuffer) -> [RelayAction] {
        violation(.protocolError, ForeignProtocol.guess(start, at: .stream) ?? "the first packet has to be CONNECT")
    }

    private mutating func violation(_ reason: ReasonCode, _ what: String) -> [RelayAction] {
        over(
            [.stop(.connectPacket)] + drop() + [.resetClient(code: ServeCode.reason(reason)), .ended(.violation(what))])
    }

    mutating func clientEnded() -> [RelayAction] {
        state = .brokerLeft
        return [
            .finishBroker, .start(.goodbye, after: Self.brokerPatience),
            .ended(hasDisconnected ? .clientDisconnected : .clientFinished),
        ]
    }

    /// Whether the client has sent DISCONNECT, so that everything on its way to the broker still counts.
    var hasDisconnected: Bool { up.hasSeen(.disconnect) }

    private mutating func clientGone(_ why: RelayEnd, _ answer: [RelayAction]) -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            return over([.stop(.connectPacket)] + drop() + answer + [.ended(why)])
        case .connecting:
            return over([.abortBroker] + drop() + answer + [.ended(why)])
        case .relaying:
            // A reset could discard the DISCONNECT before the broker has read it.
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
