import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One UDP socket and all the connections on it: those it makes, or, where it listens, those it takes. After a change of
/// the network a client has the one before beside it for a while.
///
/// Confined to one event loop. Datagrams find their connection by its connection ID, one heap holds all deadlines, one
/// timer wakes for the earliest, and everything that a burst of reads, or a tick of the loop, brought about leaves in
/// one flush.
package final class QUICEndpoint {
    /// A timer that is late by no more than this is not moved: moving one costs more than a packet.
    private static let timerSlack = TimeAmount.milliseconds(1)
    /// Datagrams that one connection may send before it is another's turn.
    private static let datagramsPerTurn = 64

    let eventLoop: any EventLoop
    let family: QUICAddressFamily
    let logger: Logger
    /// Nil where the endpoint only makes connections.
    package let server: QUICServerSide?
    /// The one that new connections use.
    var socket: EndpointSocket
    /// What a client moves between.
    var sockets = ClientSockets()
    private var whenFlushed: EventLoopPromise<Void>?
    /// Why the kernel took no datagram the last time that it did not; nil since something came in.
    private var lastSendError: String?
    private var resetBudget: ReplyBudget
    private var segmentationOffload = System.supportsUDPSegmentationOffload

    private(set) var handles: [ObjectIdentifier: QUICConnectionHandle] = [:]
    private(set) var byConnectionID: [QUICConnectionID: QUICConnectionHandle] = [:]
    private var deadlines = DeadlineQueue()
    private let timer: Timer
    private var dirty: [QUICConnectionHandle] = []
    private var isFlushScheduled = false
    private var isReading = false
    /// Datagrams that belong to no connection were written and not flushed.
    private var hasReplied = false
    var probesUnderWay = ProbesUnderWay()
    package weak var probeObserver: (any QUICProbeObserver)?

    /// Makes an endpoint without a socket; the first connection opens one. Call it on the loop.
    package convenience init(eventLoop: any EventLoop, family: QUICAddressFamily, logger: Logger) throws {
        self.init(eventLoop: eventLoop, family: family, address: try family.wildcard, server: nil, logger: logger)
    }

    init(
        eventLoop: any EventLoop, family: QUICAddressFamily, address: SocketAddress, server: QUICServerSide?,
        logger: Logger
    ) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.timer = Timer(on: eventLoop)
        self.family = family
        self.logger = logger
        self.socket = EndpointSocket(
            eventLoop: eventLoop, address: address, listening: server?.socketOptions, logger: logger)
        self.server = server
        // Each costs a look at all connections, of which a server has many, and whose clients seldom send one.
        self.resetBudget = ReplyBudget(perSecond: server == nil ? 500 : 20)
        socket.endpoint = self
    }

    /// What the engine is told as its own address: the socket's, which for a wildcard stays one although the kernel
    /// picks the real one for each datagram. So a new route is followed without a word.
    var localAddress: SocketAddress { server == nil ? socket.label : socket.address }

    /// Whether a socket that the system closed has to be opened again.
    var needsSocket: Bool { server != nil || !handles.isEmpty }

    /// Connections that are open, closing or draining.
    package var connectionCount: Int { handles.count }

    /// Starts a connection; its events go to `observer`, which has to be kept alive by its owner.
    package func connect(
        to remote: SocketAddress, serverName: String, configuration: QUICConfiguration, tls: QUICTLSContext,
        resumption: QUICResumption? = nil, earlyData: Bool = false, observer: any QUICConnectionObserver
    ) throws(QUICError) -> QUICConnectionHandle {
        let connection = try QUICConnection.client(
            configuration: configuration, tls: tls, serverName: serverName, local: localAddress, remote: remote,
            now: .now(), resumption: resumption, earlyData: earlyData)
        let handle = QUICConnectionHandle(connection: connection, endpoint: self)
        handle.observer = observer
        adopt(handle)
        socket.open()
        sockets.noteSource(to: remote)
        needsFlush(handle)
        return handle
    }

    /// From now on datagrams, deadlines and flushes find the connection.
    func adopt(_ handle: QUICConnectionHandle) {
        handles[handle.key] = handle
        for id in handle.connection.connectionIDs { register(id, for: handle) }
    }

    /// Opens the socket of an endpoint that listens; answers the address with the port that the kernel chose where it
    /// was 0. Fails where the address is not to be had; the endpoint is of no more use then.
    package func listen() -> EventLoopFuture<SocketAddress> {
        socket.listen()
    }

    /// Sends what is still to be said, such as CONNECTION_CLOSE, then closes the socket and forgets all connections.
    package func flushAndAbandon() {
        flush()
        abandon()
    }

    /// The same, but waits until the socket has taken what is to be said now.
    package func shutDown() -> EventLoopFuture<Void> {
        let promise = whenFlushed ?? eventLoop.makePromise()
        whenFlushed = promise
        if socket.channel != nil { flush() } else { abandon() }
        return promise.futureResult
    }

    /// Closes the socket and forgets all connections without another word to their peers.
    func abandon() {
        socket.close()
        closeOldSockets()
        timer.cancel()
        handles.removeAll()
        byConnectionID.removeAll()
        dirty.removeAll()
        whenFlushed?.succeed()
        whenFlushed = nil
    }
}

// MARK: - In: datagrams, time

extension QUICEndpoint {
    func received(_ datagram: ByteBuffer, from remote: SocketAddress, on receiver: EndpointSocket) {
        isReading = true
        lastSendError = nil
        receiver.received()
        let id = QUICPacketHeader.destinationConnectionID(of: datagram, localLength: QUICConnectionID.localLength)
        let known = id.flatMap { byConnectionID[$0] }
        if known == nil, let id, server?.forward(datagram, under: id, from: remote) == true { return }
        let handle = known ?? connectionReset(by: datagram, from: remote)
        let local = sockets.local(of: handle, receivedOn: receiver) ?? localAddress
        received(datagram, from: remote, to: local, for: handle)
    }

    /// Another loop's endpoint found that the datagrams are for this one.
    func receivedForwarded(_ datagram: ByteBuffer, under id: QUICConnectionID, from remote: SocketAddress) {
        isReading = true
        let handle = byConnectionID[id] ?? connectionReset(by: datagram, from: remote)
        received(datagram, from: remote, to: localAddress, for: handle)
    }

    private func received(
        _ datagram: ByteBuffer, from remote: SocketAddress, to local: SocketAddress, for handle: QUICConnectionHandle?
    ) {
        // Late packets of connections long gone, and noise, are dropped by a client (RFC 9000 5.2).
        guard let handle else { return receivedStray(datagram, from: remote) }
        handle.connection.receive(datagram, from: remote, to: local, at: .now())
        // Before what came: whoever waits for the path to return can do something with it then.
        if handle.isSilent { handle.observer?.connectionReceived(handle) }
        deliverEvents(of: handle)
        needsFlush(handle)
    }

    private func receivedStray(_ datagram: ByteBuffer, from remote: SocketAddress) {
        if let server { return server.receivedStray(datagram, from: remote, to: self) }
        if probesUnderWay.take(datagram, from: remote) { probeObserver?.endpoint(self, hasAnswerFrom: remote) }
    }

    /// The connection that the datagram ends: a stateless reset comes under a connection ID of the peer's invention
    /// (RFC 9000 10.3), so that all connections to its sender have to be asked. That has a budget, because anybody can
    /// send what looks like one.
    private func connectionReset(by datagram: ByteBuffer, from remote: SocketAddress) -> QUICConnectionHandle? {
        guard StatelessResetToken(endOf: datagram) != nil, resetBudget.take(at: .now()) else { return nil }
        return handles.values.first { handle in
            handle.connection.remoteAddress == remote && handle.connection.isStatelessReset(datagram)
        }
    }

    func readBurstEnded() {
        isReading = false
        flush()
    }

    private func timerFired() {
        let now = NIODeadline.now()
        while let key = deadlines.popDue(at: now) {
            guard let handle = handles[key] else { continue }
            if let deadline = handle.connection.deadline, deadline > now {
                deadlines.update(key, deadline: deadline)
                continue
            }
            handle.connection.handleDeadline(at: now)
            deliverEvents(of: handle)
            needsFlush(handle)
        }
        flush()
    }

    private func armTimer() {
        guard let earliest = deadlines.earliest else { return timer.cancel() }
        // While the socket takes nothing, what is due cannot be done: look again soon, not at once.
        let floor = socket.writableChannel != nil ? NIODeadline.now() : .now() + .milliseconds(5)
        timer.arm(by: max(earliest, floor), slack: Self.timerSlack) { [weak self] in self?.timerFired() }
    }
}

// MARK: - Out: events, datagrams

extension QUICEndpoint {
    /// The connection has something to send, or its deadline moved.
    func needsFlush(_ handle: QUICConnectionHandle) {
        guard !handle.isDirty, handles[handle.key] != nil else { return }
        handle.isDirty = true
        dirty.append(handle)
        scheduleFlush()
    }

    /// Has what was written leave with the burst, or with this tick of the loop.
    private func scheduleFlush() {
        guard !isReading, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute { [weak self] in
            self?.isFlushScheduled = false
            self?.flush()
        }
    }

    /// Sends what all marked connections have to send, as far as the socket takes it.
    package func flush() {
        let now = NIODeadline.now()
        let round = dirty
        dirty.removeAll(keepingCapacity: true)
        var hasWritten = false
        for handle in round {
            handle.isDirty = false
            if socket(for: handle.connection.localAddress).writableChannel != nil {
                hasWritten = send(handle, at: now) || hasWritten
                deliverEvents(of: handle)
            } else {
                // `channelWritabilityChanged`, or the opened socket, comes back to it.
                handle.isDirty = true
                dirty.append(handle)
            }
            settle(handle)
        }
        if hasWritten || hasReplied { flushSockets() }
        hasReplied = false
        armTimer()
        if whenFlushed != nil, dirty.isEmpty { abandon() }
    }

    /// Sends a datagram that belongs to no connection with the burst; drops it where the socket takes no more now.
    func reply(_ datagram: QUICDatagram) {
        guard let channel = socket.writableChannel else { return }
        hasReplied = true
        scheduleFlush()
        channel.pipeline.syncOperations.write(
            NIOAny(AddressedEnvelope(remoteAddress: datagram.remote, data: datagram.bytes)), promise: nil)
    }

    private func send(_ handle: QUICConnectionHandle, at now: NIODeadline) -> Bool {
        var batch: DatagramBatch?
        var local = handle.connection.localAddress
        var count = 0
        while count < Self.datagramsPerTurn, let datagram = handle.connection.nextDatagram(at: now) {
            count += 1
            // While a connection moves, its datagrams go by both paths.
            if sockets.areSeveral, datagram.local != local {
                if let full = batch { write(full, of: handle, from: local) }
                batch = nil
                local = datagram.local
            }
            if segmentationOffload, batch?.append(datagram.bytes, remote: datagram.remote) == true { continue }
            if let full = batch { write(full, of: handle, from: local) }
            batch = DatagramBatch(datagram.bytes, remote: datagram.remote)
        }
        if let rest = batch { write(rest, of: handle, from: local) }
        if count == Self.datagramsPerTurn { needsFlush(handle) }
        if count > 0, !handle.isAwaited { awaitAnswer(handle) }
        return count > 0
    }

    /// Clients only: a server's peer that falls silent is the idle timeout's business.
    private func awaitAnswer(_ handle: QUICConnectionHandle) {
        guard server == nil, handle.connection.unansweredSince != nil else { return }
        handle.isAwaited = handle.observer?.connectionAwaitsAnswer(handle) ?? false
    }

    private func write(_ batch: DatagramBatch, of handle: QUICConnectionHandle, from local: SocketAddress) {
        // A path whose socket is gone loses what is sent on it, like any other.
        guard let channel = socket(for: local).channel else { return }
        let isSegmented = batch.segments > 1
        // Once a connection stands, QUIC itself finds out what does not arrive.
        guard isSegmented || !handle.connection.isHandshakeConfirmed else {
            return channel.pipeline.syncOperations.write(NIOAny(batch.envelope), promise: nil)
        }
        let promise = eventLoop.makePromise(of: Void.self)
        channel.pipeline.syncOperations.write(NIOAny(batch.envelope), promise: promise)
        promise.futureResult.assumeIsolated().whenFailure { [weak self] error in
            self?.writeFailed(error, isSegmented: isSegmented)
        }
    }

    private func writeFailed(_ error: any Error, isSegmented: Bool) {
        guard let error = error as? IOError else { return }
        switch error.errnoCode {
        case EMSGSIZE:
            // A probe of path MTU discovery that the interface itself does not take.
            break
        case EIO, EINVAL, EOPNOTSUPP:
            // Some interfaces refuse segmentation (no checksum offload): every datagram becomes a write of its own.
            guard isSegmented, segmentationOffload else { fallthrough }
            segmentationOffload = false
            logger.notice("UDP segmentation offload is not supported here and is now off")
        default:
            lastSendError = String(cString: strerror(error.errnoCode))
        }
    }

    func deliverEvents(of handle: QUICConnectionHandle) {
        while let event = handle.connection.nextEvent() {
            switch event {
            case .connectionIDIssued(let id): register(id, for: handle)
            case .connectionIDRetired(let id): unregister(id, of: handle)
            case .closed(let error): handle.observer?.connection(handle, happened: .closed(explained(error)))
            default: handle.observer?.connection(handle, happened: event)
            }
        }
    }

    /// The engine only knows that nothing came; the socket may know why.
    private func explained(_ error: QUICError) -> QUICError {
        guard case .noAnswer(let remote, _) = error, let reason = lastSendError else { return error }
        return .unreachable(remote: remote, reason: reason)
    }

    /// Puts the deadline where the timer finds it, or lets go of a connection that is over.
    private func settle(_ handle: QUICConnectionHandle) {
        guard handle.connection.isClosed else {
            deadlines.update(handle.key, deadline: handle.connection.deadline)
            return
        }
        deadlines.remove(handle.key)
        for id in handle.registeredIDs { byConnectionID[id] = nil }
        handle.registeredIDs = []
        handles[handle.key] = nil
    }

    private func register(_ id: QUICConnectionID, for handle: QUICConnectionHandle) {
        guard byConnectionID.updateValue(handle, forKey: id) == nil else { return }
        handle.registeredIDs.append(id)
    }

    private func unregister(_ id: QUICConnectionID, of handle: QUICConnectionHandle) {
        byConnectionID[id] = nil
        handle.registeredIDs.removeAll { $0 == id }
    }
}

// MARK: - The socket

extension QUICEndpoint {
    func openSocket() {
        socket.open()
    }

    func socketOpened(_ opened: EndpointSocket) {
        if opened === socket { moveIfWanted() }
        flush()
    }

    func socketClosed(_ closed: EndpointSocket) {
        isReading = false
        guard closed === socket else {
            forget(closed)
            return flush()
        }
        closed.closedBySystem(lastSendError)
    }
}
