import CNGTCP2
import NIOCore

extension QUICConnection {
    /// Opens a bidirectional stream. `nil` if the peer allows no further one now; `streamsAvailable` follows when it
    /// does.
    ///
    /// - Throws: `notPossibleNow` if the connection has ended, or `internalError` if ngtcp2 fails.
    package func openStream() throws(QUICError) -> QUICStreamID? {
        guard isOpen else {
            throw .notPossibleNow(operation: "opening a stream", why: "the connection is closed")
        }
        var rawID: Int64 = -1
        switch bridge_quic_open_stream(handle, &rawID) {
        case .ok:
            let id = QUICStreamID(rawValue: rawID)
            streams.add(id)
            return id
        case .streamLimit, .notNow:
            return nil
        default:
            throw .internalError(operation: "opening a stream", code: Int(bridge_quic_last_error(handle)))
        }
    }

    /// How many bidirectional streams the peer lets us open now.
    package var availableStreams: Int {
        guard isOpen else { return 0 }
        return Int(clamping: bridge_quic_streams_left(handle))
    }

    /// Queues bytes for a stream, and its end. The bytes are not copied: their storage is kept until the peer has
    /// acknowledged them. Does nothing after the stream was reset, ended or closed.
    package func write(_ id: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool) {
        guard isOpen, let stream = streams[id], !stream.isFinished, !stream.isShut else { return }
        if let bytes {
            stream.append(bytes)
        }
        if fin {
            stream.finish()
        }
        streams.enqueue(stream)
    }

    /// How many bytes of the stream are queued or sent and not yet acknowledged. 0 if the stream is closed or takes no
    /// more.
    package func bufferedBytes(_ id: QUICStreamID) -> Int {
        guard let stream = streams[id], !stream.isShut else { return 0 }
        return stream.bufferedBytes
    }

    /// How many of the buffered bytes of a stream count against a limit: those that wait to be sent, or as many as are
    /// left if `inFlight` bytes are taken off. How many are in flight is bounded by the congestion window and the peer's
    /// credit, and on a long path they are many although nothing is slow.
    package func backlog(_ id: QUICStreamID, inFlight: Int) -> Int {
        guard let stream = streams[id], !stream.isShut else { return 0 }
        return stream.backlog(inFlight: inFlight)
    }

    /// Grants the peer credit for this many bytes of the stream and of the connection (RFC 9000 4.1). Must be called
    /// for all bytes that came as `streamData`, even if the stream has been closed meanwhile.
    package func consumed(_ id: QUICStreamID, bytes: Int) {
        guard isOpen, bytes > 0 else { return }
        bridge_quic_consume(handle, id.rawValue, UInt64(bytes))
    }

    /// Gives up both directions of a stream: the peer gets RESET_STREAM and STOP_SENDING with the code.
    package func reset(_ id: QUICStreamID, code: UInt64) {
        guard isOpen, let stream = streams[id] else { return }
        stream.shut()
        // A code has 62 bits (RFC 9000 16). The stream is known, so only a lack of memory can make this fail.
        _ = bridge_quic_reset_stream(handle, id.rawValue, min(code, 1 << 62 - 1))
    }

    /// The peer reads no more of the stream. ngtcp2 answers with RESET_STREAM by itself (RFC 9000 3.5).
    func stopped(_ stream: SendStream) {
        guard !stream.isShut else { return }
        stream.shut()
        events.append(.stopSending(stream.id, code: nil))
    }

    /// Puts streams that waited for the connection's credit back into the queue. Must be called after a datagram was
    /// read, because MAX_DATA comes without a callback.
    func wakeStarvedStreams() {
        guard isOpen, streams.starvedCount > 0, !bridge_quic_is_out_of_credit(handle) else { return }
        streams.wakeStarved()
    }
}
