import Logging
import NIOCore
import NIOPosix

/// One UDP socket and all the connections on it: those that it makes, or, if it listens, those that it accepts. After a
/// change of the network, a client keeps its previous socket beside the new one for a while.
///
/// Confined to one event loop. Datagrams find their connection by its connection ID, one heap holds all deadlines, one
/// timer wakes for the earliest, and everything that a burst of reads, or a tick of the loop, brought about leaves in
/// one flush.
package final class QUICEndpoint {
    /// A timer that is late by no more than this is not moved: moving one costs more than a packet.
    private static let timerSlack = TimeAmount.milliseconds(1)
    /// Deadlines that are so near when the timer fires are looked at with those that have passed.
    private static let foresight = TimeAmount.milliseconds(8)

    let eventLoop: any EventLoop
    let family: QUICAddressFamily
    let logger: Logger
    /// Present if the endpoint listens; `nil` if it only makes connections.
    package let server: QUICServerSide?
    /// The length of the connection IDs that it issues, in bytes.
    let connectionIDLength: Int
    /// The socket that new connections use.
    var socket: EndpointSocket
    /// What a client knows about its sockets, between which its connections move.
    let sockets = ClientSockets()
    let connections: ConnectionTable
    let pending = FlushQueue()
    /// The connections that have received something in the present burst of datagrams, each once.
    var hearing: [QUICConnectionHandle] = []
    /// What is being written for the socket beside it.
    let batch = DatagramBatch()
    var batchSocket: EndpointSocket?
    let sendFailures = SendFailures(supportsSegmentation: System.supportsUDPSegmentationOffload)
    var probes = PendingProbes()
    /// What the endpoint has sent and received since it began.
    package internal(set) var traffic = QUICTraffic()
    private var deadlines = DeadlineQueue<ObjectIdentifier>()
    private let timer: Timer
    // Both are passed on with every packet, so they are made once.
    private var whenTimerFires: () -> Void = {}
    private(set) var whenTickEnds: () -> Void = {}
    private var whenFlushed: EventLoopPromise<Void>?

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
        self.connectionIDLength = (server?.connectionIDs ?? ConnectionIDLayout()).length
        // Each reset costs a look at all connections, of which a server has many, and its clients seldom send one.
        self.connections = ConnectionTable(resetsPerSecond: server == nil ? 500 : 20)
        socket.endpoint = self
        whenTimerFires = { [weak self] in self?.timerFired() }
        whenTickEnds = { [weak self] in
            guard let self else { return }
            pending.scheduledFlushBegins()
            flush()
        }
    }

    /// What connections are told as their own address. A client's wildcard stays the same although the kernel picks the
    /// real address for each datagram, so a connection need not know when the route changes. A server that listens on a
    /// wildcard tells each connection the address that its client uses instead.
    var localAddress: SocketAddress { server == nil ? socket.label : socket.address }

    /// Whether a socket that the system closed has to be opened again.
    var needsSocket: Bool { server != nil || !connections.isEmpty }

    /// Connections that are open, closing or draining.
    package var connectionCount: Int { connections.count }

    /// Starts a connection. Its events go to `observer`, which is not retained. See ``QUICConnection/client`` for the
    /// parameters and errors.
    package func connect(
        to remote: SocketAddress, serverName: String, configuration: QUICConfiguration, tls: QUICTLSContext,
        resumption: QUICResumption? = nil, earlyData: Bool = false, observer: any QUICConnectionObserver
    ) throws(QUICError) -> QUICConnectionHandle {
        let connection = try QUICConnection.client(
            configuration: configuration, tls: tls, serverName: serverName, local: localAddress, remote: remote,
            now: .now(), resumption: resumption, earlyData: earlyData)
        let handle = QUICConnectionHandle(connection: connection, endpoint: self)
        handle.observer = observer
        connections.add(handle)
        socket.open()
        sockets.noteSource(to: remote)
        needsFlush(handle)
        return handle
    }

    /// Opens the socket of an endpoint that listens. The result is its address, with the port that the kernel chose if
    /// the port was 0. Fails if the address is not available, after which the endpoint cannot be used.
    package func listen() -> EventLoopFuture<SocketAddress> {
        socket.listen()
    }

    // MARK: Deadlines

    /// Handles what is due, and what will be soon and can be handled now. That way, the deadlines of many connections,
    /// and those that have moved since they were noted, do not each wake the loop.
    private func timerFired() {
        let now = NIODeadline.now()
        pending.isFlushComing = true
        var early: [QUICConnectionHandle] = []
        while let key = deadlines.popDue(at: now + Self.foresight) {
            guard let handle = connections[key] else { continue }
            handle.notedDeadline = nil
            guard handle.connection.isDue(at: now) else {
                early.append(handle)
                continue
            }
            handle.connection.handleDeadline(at: now)
            deliverEvents(of: handle)
            needsFlush(handle)
        }
        for handle in early where !handle.isDirty && handle.isKnown {
            note(handle.connection.deadline, of: handle)
        }
        pending.isFlushComing = false
        flush()
    }

    func armTimer() {
        guard let earliest = deadlines.earliest else { return timer.cancel() }
        if let armed = timer.deadline, armed <= earliest + Self.timerSlack { return }
        // While the socket takes nothing, what is due cannot be done: the timer must fire soon, but not at once.
        let floor = socket.isWritable ? NIODeadline.now() : .now() + .milliseconds(5)
        timer.arm(by: max(earliest, floor), whenTimerFires)
    }

    /// Puts the deadline where the timer finds it, or releases a connection that is over.
    func settle(_ handle: QUICConnectionHandle) {
        guard handle.connection.isClosed else {
            return note(handle.connection.deadline, of: handle)
        }
        deadlines.remove(handle.key)
        handle.notedDeadline = nil
        if handle.isKnown { keepFigures(of: handle.connection) }
        connections.remove(handle)
    }

    private func note(_ deadline: NIODeadline?, of handle: QUICConnectionHandle) {
        if let noted = handle.notedDeadline, let deadline, noted <= deadline { return }
        let deadline = deadline.map { SharedDeadline.for($0, at: .now()) }
        deadlines.update(handle.key, deadline: deadline)
        handle.notedDeadline = deadline
    }

    // MARK: The socket

    func socketOpened(_ opened: EndpointSocket) {
        if opened === socket { moveIfWanted() }
        flush()
    }

    func socketClosed(_ closed: EndpointSocket) {
        deliverHeard()
        pending.isFlushComing = false
        guard closed === socket else {
            forget(closed)
            return flush()
        }
        closed.closedBySystem(sendFailures.lastReason)
    }

    // MARK: The end

    /// Sends what connections still have to send, such as CONNECTION_CLOSE, then closes the socket and forgets them.
    package func flushAndAbandon() {
        flush()
        abandon()
    }

    /// The same, but waits until the socket has taken everything.
    package func shutDown() -> EventLoopFuture<Void> {
        let promise = whenFlushed ?? eventLoop.makePromise()
        whenFlushed = promise
        if socket.channel != nil { flush() } else { abandon() }
        return promise.futureResult
    }

    /// Ends the endpoint if it is shutting down and everything has been sent.
    func abandonIfFlushed() {
        if whenFlushed != nil, pending.isEmpty, socket.held.isEmpty { abandon() }
    }

    /// Closes the socket and forgets all connections without telling their peers anything.
    func abandon() {
        socket.close()
        closeOldSockets()
        timer.cancel()
        connections.removeAll()
        hearing = []
        pending.removeAll()
        whenFlushed?.succeed()
        whenFlushed = nil
    }
}
