import Logging
import NIOCore
import QUICTransport
import Synchronization

/// Something that wants to know about the network and the broker's address.
protocol LinkSocketsObserver: AnyObject {
    /// This machine's addresses or routes have changed, and connections move.
    func networkChanged()
    /// A QUIC server answers at that address.
    func answered(_ address: SocketAddress)
}

/// The UDP sockets of all clients on one event loop: one socket for each address family, whatever the number of clients.
/// They are there while a client uses them.
final class LinkSockets {
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var endpoints: [QUICAddressFamily: QUICEndpoint] = [:]
    private var observers: [ObjectIdentifier: Weak] = [:]
    private var network: Int?
    private var users = 0
    private var probes = ProbePace()

    private struct Weak {
        weak var observer: (any LinkSocketsObserver)?
    }

    /// The sockets in use, by their event loops.
    private static let all = Mutex<[ObjectIdentifier: NIOLoopBound<LinkSockets>]>([:])

    private init(on eventLoop: any EventLoop, logger: Logger) {
        self.eventLoop = eventLoop
        self.logger = logger
    }

    /// The sockets of that event loop. ``release()`` has to follow.
    static func take(on eventLoop: any EventLoop, logger: Logger) -> LinkSockets {
        eventLoop.preconditionInEventLoop()
        let bound = all.withLock { all in
            let bound =
                all[ObjectIdentifier(eventLoop)]
                ?? NIOLoopBound(LinkSockets(on: eventLoop, logger: logger), eventLoop: eventLoop)
            all[ObjectIdentifier(eventLoop)] = bound
            return bound
        }
        bound.value.users += 1
        return bound.value
    }

    /// Whether somebody uses sockets of that event loop.
    static func isInUse(on eventLoop: any EventLoop) -> Bool {
        all.withLock { $0[ObjectIdentifier(eventLoop)] != nil }
    }

    /// One user less. After the last one, the sockets are closed as soon as what waits has been sent.
    func release() {
        users -= 1
        guard users == 0 else { return }
        _ = Self.all.withLock { $0.removeValue(forKey: ObjectIdentifier(eventLoop)) }
        if let network { LinkNetwork.shared.remove(network) }
        network = nil
        for endpoint in endpoints.values { endpoint.flushAndAbandon() }
        endpoints.removeAll()
    }

    /// The endpoint for addresses like that one.
    func endpoint(for address: SocketAddress) throws -> QUICEndpoint {
        let family = QUICAddressFamily(address) ?? .ipv4
        if let endpoint = endpoints[family] { return endpoint }
        let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
        endpoint.probeObserver = self
        endpoints[family] = endpoint
        if network == nil { network = listen() }
        return endpoint
    }

    private func listen() -> Int {
        let bound = NIOLoopBound(Box(self), eventLoop: eventLoop)
        return LinkNetwork.shared.add { [eventLoop] in
            eventLoop.execute { bound.value.sockets?.networkChanged() }
        }
    }

    private struct Box {
        weak var sockets: LinkSockets?

        init(_ sockets: LinkSockets) { self.sockets = sockets }
    }

    func add(_ observer: any LinkSocketsObserver) {
        observers[ObjectIdentifier(observer)] = Weak(observer: observer)
    }

    func remove(_ observer: any LinkSocketsObserver) {
        observers[ObjectIdentifier(observer)] = nil
    }

    /// Asks whether the broker answers there at all, unless that was asked just now. All observers hear of the answer.
    func probe(_ address: SocketAddress, at now: NIODeadline) {
        guard probes.isDue(address, at: now) else { return }
        QUICAddressFamily(address).flatMap { endpoints[$0] }?.probe(address)
    }

    /// Opens new sockets and moves the connections if the way to the broker is another one now.
    func networkChanged() {
        for endpoint in endpoints.values { _ = endpoint.networkChanged() }
        for weak in Array(observers.values) { weak.observer?.networkChanged() }
    }
}

extension LinkSockets: QUICProbeObserver {
    func endpoint(_ endpoint: QUICEndpoint, hasAnswerFrom remote: SocketAddress) {
        for weak in Array(observers.values) { weak.observer?.answered(remote) }
    }
}
