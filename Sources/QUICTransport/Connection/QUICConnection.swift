import CNGTCP2
import DequeModule
import NIOCore

/// One QUIC connection without sockets, clock or threads: datagrams, calls and the time come in; datagrams, events and
/// the next deadline come out. After every call that goes in, call `nextEvent` until it returns nil, and then
/// `nextDatagram` until it returns nil. In this order, what is written on an event shares a datagram with the
/// acknowledgement (or the end of the handshake) that goes out anyway.
///
/// Not thread-safe: all calls come from one place at a time. May be dropped at any moment, which frees everything and
/// says nothing to the peer.
///
///     open --- close(), a failure of ours -------------> closing --- 3 PTO ---> closed
///     open --- the peer's CONNECTION_CLOSE, reset -----> draining -- 3 PTO ---> closed
///     open --- idle, no answer, nothing ever sent ----------------------------> closed
///
/// `QUICEvent.closed` comes as the connection leaves `open`.
package final class QUICConnection {
    enum Phase {
        case open
        /// CONNECTION_CLOSE went out, and again at times when the peer goes on sending (RFC 9000 10.2.1).
        case closing(until: NIODeadline, datagram: QUICDatagram, datagramsSince: UInt64)
        /// The peer closed: silence (RFC 9000 10.2.2).
        case draining(until: NIODeadline)
        case closed
    }

    /// ngtcp2's connection and GnuTLS's session. Owned: freed with this object.
    let handle: OpaquePointer
    let configuration: QUICConfiguration
    let tls: QUICTLSContext
    let isServer: Bool
    let serverName: String
    /// A client's: what it tries to resume.
    let resumption: QUICResumption?
    /// A server's: GnuTLS points to it.
    private let recording: QUICAntiReplay.Recording?

    var phase = Phase.open
    var events = EventQueue()
    /// A CONNECTION_CLOSE that waits to be taken.
    var closeDatagram: QUICDatagram?
    /// What a callback found wrong: ends the connection when the call it came from has returned.
    var violation: QUICError?
    /// By the server's Version Negotiation packet.
    var offeredVersions: [UInt32] = []

    var streams: [QUICStreamID: SendStream] = [:]
    /// Streams with something to send that are not known to be blocked, in turn.
    var sendable: Deque<SendStream> = []
    /// Streams that wait for the connection's credit, each once.
    var starved: [SendStream] = []
    /// How many of them are closed meanwhile.
    var closedWhileStarved = 0
    /// An allocation that was not used up.
    var spareBuffer: ByteBuffer?

    package internal(set) var localAddress: SocketAddress
    package internal(set) var remoteAddress: SocketAddress
    package internal(set) var connectionIDs: [QUICConnectionID] = []
    package internal(set) var isHandshakeCompleted = false
    package internal(set) var isHandshakeConfirmed = false
    package internal(set) var negotiatedALPN: String?
    /// Whether a ticket stood in for the certificates. False before the handshake has completed.
    package var isResumed: Bool { isHandshakeCompleted && bridge_quic_is_resumed(handle) }
    /// What streams carried before `handshakeCompleted` was early data, and taken. Of a client once that has come.
    package var isEarlyDataAccepted: Bool { bridge_quic_is_early_data_accepted(handle) }
    /// One for each connection ID of the peer's in use: a handful.
    var peerResetTokens: [StatelessResetToken] = []
    var keepAliveIsDue = false
    var isMigrating = false
    var lastMigration: NIODeadline?
    var counters = Counters()
    var silence: Silence
    var datagramSize = DatagramSize()

    struct Counters {
        var bytesSent: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var datagramsSent: UInt64 = 0
        var datagramsReceived: UInt64 = 0
        /// Of streams that are closed.
        var packetsLost: UInt64 = 0
    }

    init(
        takingOwnershipOf handle: OpaquePointer,
        configuration: QUICConfiguration,
        tls: QUICTLSContext,
        isServer: Bool,
        serverName: String,
        resumption: QUICResumption? = nil,
        recording: QUICAntiReplay.Recording? = nil,
        local: SocketAddress,
        remote: SocketAddress,
        now: NIODeadline
    ) {
        self.handle = handle
        self.configuration = configuration
        self.tls = tls
        self.isServer = isServer
        self.serverName = serverName
        self.resumption = resumption
        self.recording = recording
        localAddress = local
        remoteAddress = remote
        silence = Silence(now: now)
        let firstID = bridge_quic_first_id(handle)
        if let id = QUICConnectionID(firstID) {
            connectionIDs.append(id)
        }
        // Unretained: this object owns the C one, and lets go of it first.
        bridge_quic_set_owner(handle, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        bridge_quic_connection_free(handle)
    }

    // MARK: In

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
            guard remote.isIP, local.isIP else { return }
            let status = datagram.withUnsafeReadableBytes { bytes in
                withPath(local: local, remote: remote) { path in
                    bridge_quic_read(
                        handle, path, ecn.bits, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count,
                        now.nanoseconds)
                }
            }
            if bridge_quic_has_read_packet(handle) {
                silence.received(at: now)
                datagramSize.hasUnansweredLarge = false
            }
            settle(status, operation: "reading a datagram", at: now)
            lookForStuckStreams(at: now)
            wakeStarvedStreams()
        case .closing(let until, let datagram, let count):
            // Every power of two, so that two closing sides do not answer each other for ever.
            if (count + 1) & count == 0 {
                closeDatagram = datagram
            }
            phase = .closing(until: until, datagram: datagram, datagramsSince: count + 1)
        case .draining, .closed:
            break
        }
    }

    /// To be called when `deadline` has passed; does no harm before.
    package func handleDeadline(at now: NIODeadline) {
        switch phase {
        case .open:
            suspectDatagramSize(at: now)
            settle(bridge_quic_handle_expiry(handle, now.nanoseconds), operation: "handling a deadline", at: now)
            resumeHurry(at: now)
        case .closing(let until, _, _), .draining(let until):
            if now >= until {
                phase = .closed
            }
        case .closed:
            break
        }
    }

    /// Grants the peer credit for this many bytes of the stream, and of the connection. To be called for all bytes that
    /// came as `streamData`, also when the stream has been closed meanwhile.
    package func consumed(_ id: QUICStreamID, bytes: Int) {
        guard case .open = phase, bytes > 0 else { return }
        bridge_quic_consume(handle, id.rawValue, UInt64(bytes))
    }

    /// Moves a client to another local address, once that path has been validated: `pathChanged` or `pathFailed` tells.
    /// Only once the handshake is confirmed, one at a time, and not in quick succession, which ngtcp2 before 1.4.0 does
    /// not bear.
    package func migrate(to local: SocketAddress, at now: NIODeadline) throws(QUICError) {
        let operation = "migration"
        guard case .open = phase else { throw .notPossibleNow(operation: operation, why: "the connection is closed") }
        guard !isServer, local.isIP else { throw .notPossibleNow(operation: operation, why: "only a client migrates") }
        guard isHandshakeConfirmed else {
            throw .notPossibleNow(operation: operation, why: "the handshake is not confirmed")
        }
        guard !isMigrating, lastMigration.map({ now >= $0 + threeProbeTimeouts }) ?? true else {
            throw .notPossibleNow(operation: operation, why: "the last one is too recent")
        }
        let status = withPath(local: local, remote: remoteAddress) { bridge_quic_migrate(handle, $0, now.nanoseconds) }
        switch status {
        case .ok:
            isMigrating = true
            lastMigration = now
        case .notNow:
            throw .notPossibleNow(operation: operation, why: "the peer has no connection ID left for it, or forbids it")
        default:
            settle(status, operation: operation, at: now)
        }
    }

    /// Only once the handshake is confirmed, and when packets have come and gone three probe timeouts after the last one:
    /// ngtcp2 makes the next keys ready then.
    package func initiateKeyUpdate(at now: NIODeadline) throws(QUICError) {
        let operation = "key update"
        guard case .open = phase else { throw .notPossibleNow(operation: operation, why: "the connection is closed") }
        guard isHandshakeConfirmed else {
            throw .notPossibleNow(operation: operation, why: "the handshake is not confirmed")
        }
        switch bridge_quic_update_key(handle, now.nanoseconds) {
        case .ok: break
        case .notNow: throw .notPossibleNow(operation: operation, why: "the last one is too recent")
        case let status: settle(status, operation: operation, at: now)
        }
    }

    // MARK: Out

    package func nextEvent() -> QUICEvent? {
        events.popFirst()
    }

    /// Whether the datagram, of whatever connection ID, is a stateless reset of this connection (RFC 9000 10.3.1). An
    /// endpoint asks the connections to the sender's address when no connection ID fits, and gives it to `receive` of
    /// the one that says yes.
    package func isStatelessReset(_ datagram: ByteBuffer) -> Bool {
        guard let token = StatelessResetToken(endOf: datagram) else { return false }
        return peerResetTokens.contains(token)
    }

    /// When `handleDeadline` must be called. Nil: never, the connection is closed.
    package var deadline: NIODeadline? {
        switch phase {
        case .open:
            let expiry = bridge_quic_expiry(handle)
            let deadline = expiry >= UInt64(Int64.max) ? .distantFuture : NIODeadline.uptimeNanoseconds(expiry)
            return silence.hurryIsDue.map { min($0, deadline) } ?? deadline
        case .closing(let until, _, _), .draining(let until):
            return until
        case .closed:
            return nil
        }
    }

    /// The closing or draining period is over too (RFC 9000 10.2): nothing more comes, the object may be dropped.
    package var isClosed: Bool {
        if case .closed = phase { true } else { false }
    }
}

extension NIODeadline {
    var nanoseconds: UInt64 { uptimeNanoseconds }
}

extension Duration {
    /// Clamped to what 62 bits hold, about 146 years.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < 4_000_000_000 else { return 4_000_000_000_000_000_000 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
