import MQTTCodec
import NIOCore

/// Events of the broker.
extension StreamRelay {
    /// The TCP connection was made.
    package mutating func brokerConnected() -> [RelayAction] {
        guard case .connecting(let clientHasEnded) = state else { return [.abortBroker] }
        state = .relaying
        let data = held.map { RelayAction.sendToBroker($0) }
        held = []
        waitingBytes = 0
        return clientHasEnded ? data + clientEnded() : data
    }

    /// The TCP connection could not be made. `why` is text for the log.
    package mutating func brokerUnreachable(_ why: String) -> [RelayAction] {
        guard case .connecting = state else { return [] }
        return refusal() + [.ended(.brokerUnreachable(why))]
    }

    /// The broker sent bytes.
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

    /// The broker sent bytes. Returns true if they go to the client and nothing else is to be done, as it is with almost
    /// all bytes; otherwise nothing has happened, and ``brokerSent(_:)`` says what is to be done.
    package mutating func passesToClient(_ bytes: ByteBuffer) -> Bool {
        guard case .relaying = state else { return false }
        down.scan(bytes)
        return true
    }

    /// The broker sent FIN.
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
            // The broker ended within a packet, after which no DISCONNECT can follow.
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

    /// The answer to `.judgeEnd`. A broker that is there ended this session by its own decision, for example because
    /// the client was taken over, so the client should not try again. If the broker is going away, it should.
    package mutating func endJudged(isBrokerThere: Bool) -> [RelayAction] {
        guard case .judging(let why, let clientHasEnded) = state else { return [] }
        guard isBrokerThere else {
            let end = RelayEnd.brokerLost(why ?? "the broker no longer accepts connections")
            return over([.finishBroker, .resetClient(code: ServeCode.goingAway), .ended(end)])
        }
        if let why { return over([.resetClient(code: ServeCode.none), .ended(.brokerLost(why))]) }
        let actions = endClient(.brokerClosed)
        return clientHasEnded ? over(actions + [.stop(.goodbye)]) : actions
    }

    /// The TCP connection broke.
    /// - Parameter byBroker: Whether the broker reset it. A broker also does so when it closes a connection that has
    ///   unread bytes of the client, so the broker may have chosen to end the session.
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
