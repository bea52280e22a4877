import NIOCore

/// What the driver of a ``StreamRelay`` has to do. Actions are performed in the order of their list.
package enum RelayAction: Sendable, Equatable {
    /// Open a TCP connection to the broker, and answer with `brokerConnected()` or `brokerUnreachable(_:)`.
    case connectBroker
    /// Send these bytes to the broker. The client gets credit for them when the broker's socket has taken them.
    case sendToBroker(ByteBuffer)
    /// Give the client credit for bytes that are not going to be sent.
    case discard(bytes: Int)
    /// Send FIN to the broker after everything sent before, and let the broker end its own direction.
    case finishBroker
    /// Reset the TCP connection at once, so that the broker ignores a half-sent packet.
    case abortBroker
    /// The broker ended the session without saying why. Find out whether it is still there, and answer with
    /// `endJudged(isBrokerThere:)`. This is always the last action of its list, so the answer may come while the action
    /// is performed.
    case judgeEnd
    /// Count the session as ended, because the broker ended it and said why, or the TCP connection broke.
    case countEnd
    case sendToClient(ByteBuffer)
    /// Send FIN to the client after everything sent before.
    case finishClient
    /// Send RESET_STREAM and STOP_SENDING to the client.
    case resetClient(code: UInt64)
    case start(RelayTimer, after: Duration)
    case stop(RelayTimer)
    /// Log why the session is over. This comes once, when the first side ends.
    case ended(RelayEnd)
}

/// What a relay may wait for.
package enum RelayTimer: Sendable, Hashable, CaseIterable {
    /// The relay waits for a whole CONNECT.
    case connectPacket
    /// One side has ended, and the relay waits for the other to end.
    case goodbye
}
