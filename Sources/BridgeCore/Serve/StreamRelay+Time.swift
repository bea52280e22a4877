import MQTTCodec
import NIOCore

/// Timers, progress and the shutdown of the server.
extension StreamRelay {
    /// The client or the broker took some of the bytes on their way to it. As long as this continues, its end can wait.
    package func progressed() -> [RelayAction] {
        switch state {
        case .brokerLeft: [.start(.goodbye, after: Self.brokerPatience)]
        case .clientLeft: [.start(.goodbye, after: Self.goodbye)]
        case .awaitingConnect, .connecting, .relaying, .judging, .completing, .over: []
        }
    }

    /// Whether ``progressed()`` would do nothing, because neither side has ended. It is `mutating` because the relay would
    /// otherwise be copied for the question.
    package mutating func ignoresProgress() -> Bool {
        if case .relaying = state { true } else { false }
    }

    /// A timer that the relay started has fired.
    package mutating func timedOut(_ timer: RelayTimer) -> [RelayAction] {
        switch (timer, state) {
        case (.connectPacket, .awaitingConnect):
            return over(
                drop() + [
                    .resetClient(code: ServeCode.reason(.unspecifiedError)), .ended(.noConnectPacket),
                ])
        case (.goodbye, .brokerLeft):
            // Without the end of the stream: the broker may not have read the client's DISCONNECT.
            return over([.abortBroker, .resetClient(code: ServeCode.goingAway)])
        case (.goodbye, .clientLeft):
            return over([.resetClient(code: ServeCode.none)])
        case (.goodbye, .completing):
            return over([.finishBroker, .resetClient(code: ServeCode.goingAway)])
        default:
            // The timer was stopped just as it fired.
            return []
        }
    }

    /// The server shuts down. The client is told by DISCONNECT in 5.0, and otherwise by the code of the stream's reset.
    /// For the broker the client is lost, so it publishes the will.
    package mutating func shutDown(_ code: UInt64 = ServeCode.goingAway) -> [RelayAction] {
        switch state {
        case .awaitingConnect:
            state = .clientLeft
            return [.stop(.connectPacket)] + drop()
                + [.finishClient, .start(.goodbye, after: Self.goodbye), .ended(.shutdown)]
        case .connecting:
            return [.abortBroker] + refusal() + [.ended(.shutdown)]
        case .relaying where down.hasSeen(.connack) && !version.hasProperties && !hasDisconnected, .judging:
            return over([.finishBroker, .resetClient(code: code), .ended(.shutdown)])
        case .relaying:
            guard down.isAtBoundary else {
                state = .completing
                return [.start(.goodbye, after: Self.goodbye), .ended(.shutdown)]
            }
            return [.start(.goodbye, after: Self.goodbye), .ended(.shutdown)] + farewell()
        case .brokerLeft, .completing, .clientLeft, .over:
            return []
        }
    }

    /// An operator ends the session. The client is told as by a broker that does so: by DISCONNECT in 5.0, and otherwise by
    /// the code of the stream's reset. For the broker the client is lost, so it publishes the will.
    package mutating func removedByOperator() -> [RelayAction] {
        let reset = RelayAction.resetClient(code: ServeCode.reason(.administrativeAction))
        switch state {
        case .awaitingConnect:
            return over([.stop(.connectPacket)] + drop() + [reset, .ended(.removedByOperator)])
        case .connecting:
            return over([.abortBroker] + drop() + [reset, .ended(.removedByOperator)])
        case .relaying, .judging:
            let disconnect = Disconnect(reasonCode: ReasonCode.administrativeAction.rawValue)
            guard case .relaying = state, version.hasProperties, down.hasSeen(.connack), down.isAtBoundary,
                !down.hasSeen(.disconnect), let bytes = try? disconnect.encode(version: version)
            else { return over([.finishBroker, reset, .ended(.removedByOperator)]) }
            state = .clientLeft
            return [
                .finishBroker, .sendToClient(bytes), .finishClient, .start(.goodbye, after: Self.goodbye),
                .ended(.removedByOperator),
            ]
        case .brokerLeft, .completing:
            return over([.finishBroker, .stop(.goodbye), reset])
        case .clientLeft:
            return over([.stop(.goodbye), reset])
        case .over:
            return []
        }
    }

    mutating func farewell() -> [RelayAction] {
        state = .clientLeft
        var actions: [RelayAction] = [.finishBroker]
        if !down.hasSeen(.connack) {
            actions += connack()
        } else if version.hasProperties, !down.hasSeen(.disconnect) {
            let disconnect = Disconnect(reasonCode: ReasonCode.serverShuttingDown.rawValue)
            if let bytes = try? disconnect.encode(version: version) { actions.append(.sendToClient(bytes)) }
        }
        return actions + [.finishClient]
    }

    /// Sends a CONNACK with "server unavailable" because the broker has sent none.
    mutating func refusal() -> [RelayAction] {
        state = .clientLeft
        return drop() + connack() + [.finishClient, .start(.goodbye, after: Self.goodbye)]
    }

    private func connack() -> [RelayAction] {
        let connack = Connack(code: version.hasProperties ? ReasonCode.serverUnavailable.rawValue : 3)
        guard let bytes = try? connack.encode(version: version) else { return [] }
        return [.sendToClient(bytes)]
    }

    mutating func over(_ actions: [RelayAction]) -> [RelayAction] {
        state = .over
        return actions
    }

    mutating func drop() -> [RelayAction] {
        defer {
            held = []
            waitingBytes = 0
        }
        return discard(waitingBytes)
    }

    func discard(_ count: Int) -> [RelayAction] {
        count > 0 ? [.discard(bytes: count)] : []
    }
}

extension StreamRelay {
    /// The CONNECT packet while it waits for the TCP connection; otherwise `nil`.
    package var connectPacket: ByteBuffer? {
        guard up.hasSeenPacket, let length = up.firstLength, var packet = held.first else { return nil }
        for next in held.dropFirst() where packet.readableBytes < length { packet.writeImmutableBuffer(next) }
        return packet.getSlice(at: packet.readerIndex, length: length)
    }
}
