import NIOCore

/// How far the end of a connection has come (RFC 9000 10.2).
///
///     open --- close(), a failure on this side ---------> closing --- 3 PTO ---> closed
///     open --- the peer's CONNECTION_CLOSE, reset -----> draining -- 3 PTO ---> closed
///     open --- idle, no answer, nothing was ever sent -------------------------> closed
struct Closing {
    private enum Phase {
        case open
        /// CONNECTION_CLOSE went out. It is sent again from time to time while the peer keeps sending (RFC 9000
        /// 10.2.1).
        case closing(until: NIODeadline, datagram: ByteBuffer, datagramsSince: UInt64)
        /// The peer closed the connection, and nothing is sent any more (RFC 9000 10.2.2).
        case draining(until: NIODeadline)
        case closed
    }

    private var phase = Phase.open
    /// A CONNECTION_CLOSE that `nextDatagram` has not taken yet.
    private var pendingDatagram: ByteBuffer?

    var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }

    /// When the closing or draining period ends. `nil` before it begins and after it has ended.
    var deadline: NIODeadline? {
        switch phase {
        case .closing(let until, _, _), .draining(let until): until
        case .open, .closed: nil
        }
    }

    /// - Parameter datagram: The CONNECTION_CLOSE for the peer. Without one, nothing is waited for.
    mutating func close(with datagram: ByteBuffer?, until deadline: NIODeadline) {
        guard let datagram else { return finish() }
        pendingDatagram = datagram
        phase = .closing(until: deadline, datagram: datagram, datagramsSince: 0)
    }

    mutating func drain(until deadline: NIODeadline) {
        phase = .draining(until: deadline)
    }

    mutating func finish() {
        phase = .closed
    }

    mutating func takeDatagram() -> ByteBuffer? {
        defer { pendingDatagram = nil }
        return pendingDatagram
    }

    /// The peer sent another datagram although the connection has ended.
    mutating func receivedDatagram() {
        guard case .closing(let until, let datagram, let count) = phase else { return }
        // Only every power of two is answered, so that two closing sides do not answer each other forever.
        if (count + 1) & count == 0 { pendingDatagram = datagram }
        phase = .closing(until: until, datagram: datagram, datagramsSince: count + 1)
    }

    mutating func handleDeadline(at now: NIODeadline) {
        if let deadline, now >= deadline { phase = .closed }
    }
}
