import CNGTCP2
import NIOCore

/// One QUIC connection without sockets, clock or threads: datagrams, calls and the time come in; datagrams, events and
/// the next deadline come out. After every call that goes in, call `nextEvent` until it returns `nil`, and then
/// `nextDatagram` until it returns `nil`. In this order, what is written in response to an event shares a datagram with
/// the acknowledgement (or the end of the handshake) that goes out anyway.
///
/// Not thread-safe: all calls come from one place at a time. The connection may be dropped at any moment, which frees
/// everything and tells the peer nothing.
///
/// `QUICEvent.closed` comes as soon as the connection is no longer open; see ``Closing`` for what follows.
package final class QUICConnection {
    enum Role {
        /// - `serverName`: The name that the server's certificate must be made out to.
        case client(serverName: String)
        /// - `recording`: GnuTLS keeps a pointer to it.
        case server(recording: QUICAntiReplay.Recording?)
    }

    /// ngtcp2's connection and GnuTLS's session. Owned: they are freed with this object.
    let handle: OpaquePointer
    let configuration: QUICConfiguration
    let tls: QUICTLSContext
    let role: Role
    /// What a client tries to resume; `nil` once the handshake has completed.
    var resumption: QUICResumption?
    /// The path that the last datagram was sent on.
    var path: (local: SocketAddress, remote: SocketAddress)

    // What every datagram needs is a simple property, or an object of its own: if one access to a property contains a
    // longer call, the program checks all accesses to it while it runs, to find any that overlap.
    let events = EventQueue()
    let streams = SendStreams()
    var handshake = Handshake()
    /// Whether the handshake has come further and `settle` has to look at it.
    var hasHandshakeNews = false
    /// Whether TLS has finished on this side.
    var isCompleted = false
    /// Whether the peer is known to have finished it, too.
    var isConfirmed = false
    /// Whether the connection is open. A copy of what `closing` knows, because every datagram asks for it.
    var isOpen = true
    var closing = Closing()
    var identity = ConnectionIdentity()
    var migration = Migration()
    var activity: PeerActivity
    var pendingHurry = Hurry()
    var datagramSize = DatagramSize()
    var repetition = Repetition()
    /// Whether the last datagram may be larger than what the path, or even the interface, carries.
    var hasWrittenProbe = false
    /// The ECN mark of the last datagram.
    var writtenECN: UInt8 = 0
    var counters = Counters()

    init(
        takingOwnershipOf handle: OpaquePointer, role: Role, resumption: QUICResumption? = nil,
        configuration: QUICConfiguration, tls: QUICTLSContext, local: SocketAddress, remote: SocketAddress,
        now: NIODeadline
    ) {
        self.resumption = resumption
        self.handle = handle
        self.role = role
        self.configuration = configuration
        self.tls = tls
        path = (local, remote)
        activity = PeerActivity(now: now)
        if let id = QUICConnectionID(bridge_quic_first_id(handle)) { identity.add(id) }
        // Unretained: this object owns the C one, and lets go of it first.
        bridge_quic_set_owner(handle, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        bridge_quic_connection_free(handle)
    }

    // MARK: In

    /// Takes a UDP payload from the network.
    package func receive(
        _ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress,
        ecn: NIOExplicitCongestionNotificationState = .transportNotCapable, at now: NIODeadline
    ) {
        counters.datagramsReceived += 1
        counters.bytesReceived += UInt64(datagram.readableBytes)
        guard isOpen else { return closing.receivedDatagram() }
        guard remote.isIP, local.isIP else { return }
        let status = datagram.withUnsafeReadableBytes { bytes in
            withPath(local: local, remote: remote) { path in
                bridge_quic_read(
                    handle, path, ecn.bits, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, now.nanoseconds)
            }
        }
        if bridge_quic_has_read_packet(handle) {
            activity.received(at: now)
            pendingHurry.end()
            datagramSize.hasUnansweredLarge = false
        }
        settle(status, operation: "reading a datagram", at: now)
        lookForStuckStreams(at: now)
        wakeStarvedStreams()
    }

    /// Must be called when `deadline` has passed. A call before that does no harm.
    package func handleDeadline(at now: NIODeadline) {
        guard isOpen else { return closing.handleDeadline(at: now) }
        suspectDatagramSize(at: now)
        if activity.isProbeDue(after: { probeTimeout }, at: now) { counters.probeTimeouts += 1 }
        settle(bridge_quic_handle_expiry(handle, now.nanoseconds), operation: "handling a deadline", at: now)
        pendingHurry.resumeIfDue(at: now)
    }

    // MARK: Out

    /// The next event, or `nil` if nothing more has happened.
    package func nextEvent() -> QUICEvent? {
        events.popFirst()
    }

    /// When `handleDeadline` must be called. `nil` if the connection is closed and it need not be called any more.
    package var deadline: NIODeadline? {
        guard isOpen else { return closing.deadline }
        let expiry = bridge_quic_expiry(handle)
        let deadline = expiry >= UInt64(Int64.max) ? .distantFuture : NIODeadline.uptimeNanoseconds(expiry)
        return pendingHurry.resumesAt.map { min($0, deadline) } ?? deadline
    }

    /// Whether `handleDeadline` would do something useful now. It may be called before `deadline`, so that what one
    /// connection has to acknowledge leaves together with what others have.
    package func isDue(at now: NIODeadline) -> Bool {
        guard isOpen else { return closing.deadline.map { $0 <= now } ?? false }
        if let resumesAt = pendingHurry.resumesAt, resumesAt <= now { return true }
        return bridge_quic_is_due(handle, now.nanoseconds)
    }

    /// Whether `nextDatagram` should be called now. It need not be if there is nothing but an acknowledgement that can
    /// wait for data to travel with; `deadline` covers that.
    package var hasToSend: Bool {
        !isOpen || streams.hasQueued || pendingHurry.isUnderWay || bridge_quic_has_to_send(handle)
    }

    /// Whether the closing or draining period is over too (RFC 9000 10.2), so that nothing more comes and the object
    /// may be dropped.
    package var isClosed: Bool { !isOpen && closing.isClosed }

    // MARK: Facts

    /// This side's address of the path that the last datagram was sent on.
    package var localAddress: SocketAddress { path.local }
    /// The peer's address of that path.
    package var remoteAddress: SocketAddress { path.remote }

    /// This side's address of the path that ordinary packets take. While the connection moves, some datagrams take the new
    /// one.
    var localAddressInUse: SocketAddress { SocketAddress(bridge_quic_path_in_use(handle).local) ?? path.local }

    var isServer: Bool {
        if case .server = role { true } else { false }
    }

    /// Datagrams that carry one of these IDs as their destination are for this connection.
    package var connectionIDs: [QUICConnectionID] { identity.ids }

    /// Whether the datagram, of whatever connection ID, is a stateless reset of this connection (RFC 9000 10.3.1). An
    /// endpoint asks the connections to the sender's address if no connection ID fits, and gives the datagram to
    /// `receive` of the connection that answers yes.
    package func isStatelessReset(_ datagram: ByteBuffer) -> Bool { identity.isStatelessReset(datagram) }

    /// Whether TLS has finished on this side (RFC 9001 4.1.1).
    package var isHandshakeCompleted: Bool { isCompleted }
    /// Whether the peer is known to have finished it too (RFC 9001 4.1.2).
    package var isHandshakeConfirmed: Bool { isConfirmed }
    /// The protocol that was agreed on; `nil` before the handshake has completed.
    package var negotiatedALPN: String? { handshake.alpn }
    /// Whether a ticket stood in for the certificates. False before the handshake has completed.
    package var isResumed: Bool { isHandshakeCompleted && bridge_quic_is_resumed(handle) }
    /// Whether early data was accepted: what streams carried before `handshakeCompleted`. A client knows it only then.
    package var isEarlyDataAccepted: Bool { bridge_quic_is_early_data_accepted(handle) }
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
