import CNGTCP2
import NIOCore

extension QUICConnection {
    /// Opens a bidirectional stream. Nil where the peer allows no further one now: wait for `streamsAvailable`.
    package func openStream() throws(QUICError) -> QUICStreamID? {
        guard case .open = phase else {
            throw .notPossibleNow(operation: "opening a stream", why: "the connection is closed")
        }
        var rawID: Int64 = -1
        switch bridge_quic_open_stream(handle, &rawID) {
        case .ok:
            let id = QUICStreamID(rawValue: rawID)
            streams[id] = SendStream(id: id)
            return id
        case .streamLimit, .notNow:
            return nil
        default:
            throw .internalError(operation: "opening a stream", code: Int(bridge_quic_last_error(handle)))
        }
    }

    /// Bidirectional streams that the peer lets us open now.
    package var availableStreams: Int {
        guard case .open = phase else { return 0 }
        return Int(clamping: bridge_quic_streams_left(handle))
    }

    /// Queues bytes for a stream, and its end. The bytes are not copied: their storage is kept until the peer has
    /// acknowledged them. Ignored after the stream was reset, ended or closed.
    package func write(_ id: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        guard case .open = phase, let stream = streams[id], !stream.isFinished, !stream.isShut else { return }
        if let bytes {
            stream.append(bytes)
        }
        if fin {
            stream.finish()
        }
        enqueue(stream)
    }

    /// Bytes of the stream that are queued or under way, not yet acknowledged. 0 once the stream is closed, or takes no
    /// more.
    package func bufferedBytes(_ id: QUICStreamID) -> Int {
        guard let stream = streams[id], !stream.isShut else { return 0 }
        return stream.bufferedBytes
    }

    /// Gives both directions of a stream up: RESET_STREAM and STOP_SENDING with the code.
    package func reset(_ id: QUICStreamID, code: UInt64) {
        guard case .open = phase, let stream = streams[id] else { return }
        stream.shut()
        // RFC 9000 16: a code has 62 bits. The stream is known, so that nothing else can fail but memory.
        _ = bridge_quic_reset_stream(handle, id.rawValue, min(code, 1 << 62 - 1))
    }

    /// Puts a stream at the end of the line, unless it is in it or has nothing to send.
    func enqueue(_ stream: SendStream) {
        guard stream.hasSomethingToSend, !stream.isQueued else { return }
        stream.isQueued = true
        sendable.append(stream)
    }

    /// The stream has to wait for the connection's credit.
    func starve(_ stream: SendStream) {
        guard !stream.isStarved else { return }
        stream.isStarved = true
        starved.append(stream)
    }

    /// A stream was closed while it waited for the connection's credit. They leave the line together, when they are the
    /// half of it: one by one would take a look at the whole line each.
    func forgetStarved() {
        closedWhileStarved += 1
        guard closedWhileStarved > starved.count / 2 else { return }
        starved.removeAll { $0.isShut }
        closedWhileStarved = 0
    }

    /// The peer reads no more of it. ngtcp2 answers with RESET_STREAM by itself (RFC 9000 3.5).
    func stopped(_ stream: SendStream) {
        guard !stream.isShut else { return }
        stream.shut()
        events.append(.stopSending(stream.id, code: nil))
    }

    /// MAX_DATA comes without a callback. To be called after a datagram was read.
    func wakeStarvedStreams() {
        guard case .open = phase, !starved.isEmpty, !bridge_quic_is_out_of_credit(handle) else { return }
        let waiting = starved
        starved.removeAll()
        closedWhileStarved = 0
        for stream in waiting {
            stream.isStarved = false
            enqueue(stream)
        }
    }
}
