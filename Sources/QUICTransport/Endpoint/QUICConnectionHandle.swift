import NIOCore

/// One connection of a ``QUICEndpoint``: the engine together with its place on the socket.
///
/// Confined to the endpoint's event loop. Calls that may lead to datagrams mark the connection for the next flush.
package final class QUICConnectionHandle {
    let connection: QUICConnection
    /// The connection IDs under which the endpoint finds this connection.
    var registeredIDs: [QUICConnectionID] = []
    /// Whether the endpoint has the connection.
    var isKnown = false
    /// Whether the events of a burst are being delivered, after which the endpoint looks at the connection anyway.
    var isBeingRead = false
    /// Whether the next flush asks the connection for datagrams.
    var isDirty = false
    /// Whether the connection has received something in the present burst, and its events are still to be delivered.
    var isHeard = false
    /// When the endpoint's queue of deadlines has the connection come up, or later; `nil` if it does not.
    var notedDeadline: NIODeadline?
    private var isWatched = false
    private var isConsideredSilent = false
    /// The label of the socket that the connection moves to, or has moved to.
    var target: SocketAddress?
    private weak var receiver: (any QUICConnectionObserver)?
    /// The endpoint holds the handle until the connection is closed, so it outlives every call made here while open.
    private weak var endpoint: QUICEndpoint?
    /// The family of the endpoint's socket.
    package let addressFamily: QUICAddressFamily

    init(connection: QUICConnection, endpoint: QUICEndpoint) {
        self.connection = connection
        self.endpoint = endpoint
        self.addressFamily = endpoint.family
    }

    var key: ObjectIdentifier { ObjectIdentifier(self) }

    /// Gets the connection's events. Not retained.
    package var observer: (any QUICConnectionObserver)? {
        get { receiver }
        set { receiver = newValue }
    }

    /// Whether the observer already watches whether what was sent is answered; see
    /// ``QUICConnectionObserver/connectionAwaitsAnswer(_:)``.
    package var isAwaited: Bool {
        get { isWatched }
        set { isWatched = newValue }
    }

    /// Whether the observer considers the path silent and wants to know of each datagram that comes.
    package var isSilent: Bool {
        get { isConsideredSilent }
        set { isConsideredSilent = newValue }
    }

    /// See ``QUICConnection/openStream()``.
    package func openStream() throws(QUICError) -> QUICStreamID? {
        let stream = try connection.openStream()
        touch()
        return stream
    }

    /// How many bidirectional streams the peer lets us open now.
    package var availableStreams: Int { connection.availableStreams }

    /// Queues bytes, and the stream's end if `fin` is set. See ``QUICConnection/write(_:_:fin:)``.
    package func write(_ stream: QUICStreamID, _ bytes: ByteBuffer?, fin: Bool = false) {
        connection.write(stream, bytes, fin: fin)
        touch()
    }

    /// How many bytes of the stream are queued or sent and not yet acknowledged.
    package func bufferedBytes(_ stream: QUICStreamID) -> Int {
        connection.bufferedBytes(stream)
    }

    /// See ``QUICConnection/backlog(_:inFlight:)``.
    package func backlog(_ stream: QUICStreamID, inFlight: Int) -> Int {
        connection.backlog(stream, inFlight: inFlight)
    }

    /// The receiver has taken these bytes, so the peer may send as many again (RFC 9000 4.1).
    package func consumed(_ stream: QUICStreamID, bytes: Int) {
        connection.consumed(stream, bytes: bytes)
        endpoint?.sendOrSettle(self)
    }

    /// Gives up both directions of a stream, by RESET_STREAM and STOP_SENDING with the code (RFC 9000 3.5).
    package func reset(_ stream: QUICStreamID, code: UInt64) {
        connection.reset(stream, code: code)
        touch()
    }

    /// Closes the connection with an application code (RFC 9000 10.2). See
    /// ``QUICConnection/close(applicationCode:reason:at:)``.
    package func close(applicationCode: UInt64 = 0, reason: String = "") {
        connection.close(applicationCode: applicationCode, reason: reason, at: .now())
        touch()
    }

    /// The peer's current address. A client's may change.
    package var remoteAddress: SocketAddress { connection.remoteAddress }
    /// The label of the socket in use; on a server, the address of this machine that the client uses.
    package var localAddress: SocketAddress { connection.localAddress }
    /// The address that a server's socket is bound to, which may be a wildcard.
    package var listener: SocketAddress { endpoint?.localAddress ?? localAddress }
    /// What the connection has sent and received so far, and what it knows of its path now.
    package var statistics: QUICStatistics { connection.statistics }
    /// What the handshake agreed on; `nil` before it has completed.
    package var tlsInfo: QUICTLSInfo? { connection.tlsInfo }
    /// The peer's own certificate; `nil` if it has shown none, or a while after the handshake unless
    /// ``QUICConfiguration/keepsPeerCertificates`` is set.
    package var peerCertificate: QUICCertificate? { connection.peerCertificate }
    /// See ``QUICConnection/peerCertificates``.
    package var peerCertificates: [QUICCertificate] { connection.peerCertificates }
    /// See ``QUICConnection/peerParameters``.
    package var peerParameters: QUICTransportParameters? { connection.peerParameters }
    /// Whether the peer is known to have completed the handshake, too (RFC 9001 4.1.2).
    package var isHandshakeConfirmed: Bool { connection.isHandshakeConfirmed }
    /// See ``QUICConnection/idleTimeout``.
    package var idleTimeout: Duration { connection.idleTimeout }
    /// Whether a ticket stood in for the certificates.
    package var isResumed: Bool { connection.isResumed }
    /// See ``QUICConnection/isEarlyDataAccepted``.
    package var isEarlyDataAccepted: Bool { connection.isEarlyDataAccepted }

    /// See ``QUICConnection/unansweredSince``.
    package var unansweredSince: NIODeadline? { connection.unansweredSince }
    /// See ``QUICConnection/lastReceived``.
    package var lastReceived: NIODeadline { connection.lastReceived }
    /// See ``QUICConnection/lastSent``.
    package var lastSent: NIODeadline? { connection.lastSent }
    /// See ``QUICConnection/probeTimeout``.
    package var probeTimeout: Duration { connection.probeTimeout }

    /// Sends something now that the peer has to answer; see ``QUICConnection/hurry(at:)``.
    package func hurry() {
        hurry(at: .now())
    }

    /// The same, for a caller that knows the time.
    package func hurry(at now: NIODeadline) {
        connection.hurry(at: now)
        touch()
    }

    private func touch() {
        endpoint?.needsFlush(self)
    }
}
