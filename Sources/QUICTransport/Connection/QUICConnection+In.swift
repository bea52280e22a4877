import CNGTCP2
import NIOCore

extension QUICConnection {
    /// Takes a UDP payload from the network.
    package func receive(
        _ datagram: ByteBuffer,
        from remote: SocketAddress,
        to local: SocketAddress,
        ecn: NIOExplicitCongestionNotificationState = .transportNotCapable,
        at now: NIODeadline
    ) {
        counters.datagramsReceived += 1
        counters.bytesReceived += UInt64(datagram.readableBytes)
        switch phase {
        case .open:
            break
        case .closing(var closing):
            closing.received += 1
            // RFC 9000 10.2.1: the answers get rarer.
            if closing.received & (closing.received - 1) == 0 { closing.isDue = true }
            phase = .closing(closing)
            return
        case .draining, .closed:
            return
        }
        let status = local.withSockAddr { local, _ in
            remote.withSockAddr { remote, _ in
                datagram.withUnsafeReadableBytes { bytes in
                    bq_conn_read(
                        conn, local, remote, ecn.codepoint, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
                        bytes.count, now.uptimeNanoseconds)
                }
            }
        }
        settle(status, at: now)
        unblockConnection()
    }

    /// To be called when `deadline` has passed.
    package func handleDeadline(at now: NIODeadline) {
        switch phase {
        case .open:
            if let resume = resumeAt, resume <= now { resumeAt = nil }
            guard bq_conn_deadline(conn) <= now.uptimeNanoseconds else { return }
            settle(bq_conn_handle_deadline(conn, now.uptimeNanoseconds), at: now)
        case .closing(let closing):
            if closing.until <= now { phase = .closed }
        case .draining(let until):
            if until <= now { phase = .closed }
        case .closed:
            break
        }
    }

    /// Opens a bidirectional stream. Nil where the peer allows no further one now: wait for `streamsAvailable`.
    package func openStream() throws(QUICError) -> QUICStreamID? {
        guard isOpen else { throw .notPossibleNow(operation: "opening a stream", why: "the connection is closed") }
        var stream: Int64 = 0
        switch bq_conn_open_stream(conn, &stream) {
        case BQ_OK:
            let id = QUICStreamID(rawValue: stream)
            streams[id] = Stream()
            return id
        case BQ_STREAMS_EXHAUSTED:
            return nil
        default:
            throw .internalError(operation: "opening a stream", code: Int(bq_conn_last_error(conn)))
        }
    }

    /// Queues bytes for a stream, and its end. The bytes are not copied: their storage is kept until the peer has
    /// acknowledged them. Ignored after the stream was reset, ended or closed.
    package func write(_ id: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        guard isOpen, let stream = streams[id], !stream.isSendingOver, stream.queue.end == .none else { return }
        if let bytes { streams[id]?.queue.append(bytes) }
        if fin { streams[id]?.queue.end = .queued }
        enqueue(id)
    }

    /// Bytes of the stream that are queued or under way, not yet acknowledged.
    package func bufferedBytes(_ id: QUICStreamID) -> Int {
        guard let stream = streams[id], !stream.isSendingOver else { return 0 }
        return stream.queue.buffered
    }

    /// Grants the peer credit for this many bytes of the stream, and of the connection.
    package func consumed(_ id: QUICStreamID, bytes: Int) {
        guard isOpen, bytes > 0 else { return }
        bq_conn_grant(conn, streams[id] == nil ? -1 : id.rawValue, UInt64(bytes))
    }

    /// Gives both directions of a stream up: RESET_STREAM and STOP_SENDING with the code.
    package func reset(_ id: QUICStreamID, code: UInt64) {
        guard isOpen, streams[id] != nil else { return }
        streams[id]?.isSendingOver = true
        _ = bq_conn_reset_stream(conn, id.rawValue, code)
    }

    /// Moves the client to another local address. Only once the handshake is confirmed, and one at a time.
    package func migrate(to local: SocketAddress, at now: NIODeadline) throws(QUICError) {
        guard isOpen, isHandshakeConfirmed, !isServer else {
            throw .notPossibleNow(operation: "migration", why: "the handshake is not confirmed")
        }
        let status = local.withSockAddr { local, _ in
            remoteAddress.withSockAddr { remote, _ in bq_conn_migrate(conn, local, remote, now.uptimeNanoseconds) }
        }
        guard status == BQ_OK else {
            throw .notPossibleNow(operation: "migration", why: "the peer has given no further connection ID")
        }
    }

    /// Only once the handshake is confirmed.
    package func initiateKeyUpdate(at now: NIODeadline) throws(QUICError) {
        guard isOpen, isHandshakeConfirmed else {
            throw .notPossibleNow(operation: "key update", why: "the handshake is not confirmed")
        }
        guard bq_conn_update_key(conn, now.uptimeNanoseconds) == BQ_OK else {
            throw .notPossibleNow(operation: "key update", why: "the one before is not confirmed")
        }
    }

    // MARK: What is to be sent

    func enqueue(_ id: QUICStreamID) {
        guard let stream = streams[id], !stream.isSendable, !stream.isBlocked, !stream.isSendingOver,
            stream.queue.hasSomethingToSend
        else { return }
        streams[id]?.isSendable = true
        sendable.append(id)
    }

    /// MAX_DATA comes without a callback.
    private func unblockConnection() {
        guard isOpen, !blocked.isEmpty, bq_conn_is_blocked(conn) == 0 else { return }
        let waiting = blocked
        blocked.removeAll()
        for id in waiting {
            streams[id]?.isBlocked = false
            enqueue(id)
        }
    }
}

extension NIOExplicitCongestionNotificationState {
    /// RFC 3168 5.
    var codepoint: UInt8 {
        switch self {
        case .transportNotCapable: 0
        case .transportCapableFlag1: 1
        case .transportCapableFlag0: 2
        case .congestionExperienced: 3
        }
    }

    init(codepoint: UInt8) {
        switch codepoint & 3 {
        case 1: self = .transportCapableFlag1
        case 2: self = .transportCapableFlag0
        case 3: self = .congestionExperienced
        default: self = .transportNotCapable
        }
    }
}
