import NIOCore

/// What the driver of a ``StreamRelay`` is to do, in this order.
package enum RelayAction: Sendable, Equatable {
    /// Open a TCP connection to the broker; answer with `brokerConnected()` or `brokerUnreachable(_:)`.
    case connectBroker
    /// The client gets credit for these bytes when the broker's socket has taken them.
    case sendToBroker(ByteBuffer)
    /// Bytes of the client that nobody wants any more: it gets credit for them at once.
    case discard(bytes: Int)
    /// End our direction of the TCP connection behind everything sent, and let the broker end the other.
    case finishBroker
    /// End the TCP connection at once with a reset: nothing half-sent counts.
    case abortBroker
    /// The broker ended the session without a word: find out whether that was its decision or its own end; answer with
    /// `endJudged(isBrokerThere:)`. Stands last in its list, so that the answer may come while the action is performed.
    case judgeEnd
    /// The broker ended the session and said why, or the way to it broke: the session's place among the living is free.
    case countEnd
    case sendToClient(ByteBuffer)
    /// FIN, behind everything sent before.
    case finishClient
    /// RESET_STREAM and STOP_SENDING.
    case resetClient(code: UInt64)
    case start(RelayTimer, after: Duration)
    case stop(RelayTimer)
    /// Why the session is over. Comes once, as the first side ends.
    case ended(RelayEnd)
}

/// The times a relay waits for something.
package enum RelayTimer: Sendable, Hashable, CaseIterable {
    /// For a whole CONNECT.
    case connectPacket
    /// For the other side's end after the first.
    case goodbye
}
