import NIOCore

/// One connection of a ``QUICEndpoint``: the engine together with its place on the socket.
///
/// Confined to the endpoint's event loop. Every call marks the connection for the next flush.
package final class QUICConnectionHandle {
    let connection: QUICConnection
    /// The connection IDs under which the endpoint finds this connection.
    var registeredIDs: [QUICConnectionID] = []
    /// Has to be asked for datagrams at the next flush.
    var isDirty = false
    /// Somebody looks at whether what was sent is answered.
    package var isAwaited = false
    /// The observer wants to know of each datagram that comes.
    package var isSilent = false
    /// The socket that it is moving to, or has moved to.
    var target: SocketAddress?
    /// Owned by whoever uses the connection; the handle does not keep it alive.
    package weak var observer: (any QUICConnectionObserver)?
    /// The endpoint holds the handle until the connection is closed, so it outlives every call made here while open.
    private weak var endpoint: QUICEndpoint?
    package let addressFamily: QUICAddressFamily

    init(connection: QUICConnection, endpoint: QUICEndpoint) {
        self.connection = connection
        self.endpoint = endpoint
        self.addressFamily = endpoint.family
    }

    var key: ObjectIdentifier { ObjectIdentifier(self) }

    /// Opens a bidirectional stream; `nil` where the peer allows no more now: wait for `.streamsAvailable`.
    package func openStream() throws(QUICError) -> QUICStreamID? {
        let stream = try connection.openStream()
        touch()
        return stream
    }

    /// Bidirectional streams that the peer lets us open now.
    package var availableStreams: Int { connection.availableStreams }

    /// Queues bytes, and the stream's end with `fin`.
    package func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool = false) {
        connection.write(stream, bytes, fin: fin)
        touch()
    }

    /// Bytes queued on the stream that the peer has not acknowledged.
    package func bufferedBytes(_ stream: QUICStreamID) -> Int {
        connection.bufferedBytes(stream)
    }

    /// The receiver has really taken these bytes: the peer may send as many again (RFC 9000 4.1).
    package func consumed(_ stream: QUICStreamID, bytes: Int) {
        connection.consumed(stream, bytes: bytes)
        touch()
    }

    /// RESET_STREAM and STOP_SENDING (RFC 9000 3.5).
    package func reset(_ stream: QUICStreamID, code: UInt64) {
        connection.reset(stream, code: code)
        touch()
    }

    /// CONNECTION_CLOSE with an application code (RFC 9000 10.2).
    package func close(applicationCode: UInt64 = 0, reason: String = "") {
        connection.close(applicationCode: applicationCode, reason: reason, at: .now())
        touch()
    }

    /// The peer's address now: a client's may change.
    package var remoteAddress: SocketAddress { connection.remoteAddress }
    package var localAddress: SocketAddress { connection.localAddress }
    package var statistics: QUICStatistics { connection.statistics }
    package var tlsInfo: QUICTLSInfo? { connection.tlsInfo }
    package var isHandshakeConfirmed: Bool { connection.isHandshakeConfirmed }
    /// After which the connection ends when nothing is heard: the smaller of both sides' values.
    package var idleTimeout: Duration { connection.idleTimeout }
    /// Whether a ticket stood in for the certificates.
    package var isResumed: Bool { connection.isResumed }
    package var isEarlyDataAccepted: Bool { connection.isEarlyDataAccepted }

    /// See ``QUICConnection/unansweredSince``.
    package var unansweredSince: NIODeadline? { connection.unansweredSince }
    /// See ``QUICConnection/lastReceived``.
    package var lastReceived: NIODeadline { connection.lastReceived }
    /// See ``QUICConnection/probeTimeout``.
    package var probeTimeout: Duration { connection.probeTimeout }

    /// Has something sent now that the peer has to answer; see ``QUICConnection/hurry(at:)``.
    package func hurry() {
        hurry(at: .now())
    }

    package func hurry(at now: NIODeadline) {
        connection.hurry(at: now)
        touch()
    }

    private func touch() {
        endpoint?.needsFlush(self)
    }
}
