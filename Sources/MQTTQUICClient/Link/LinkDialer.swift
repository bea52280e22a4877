import Logging
import NIOCore
import NIOPosix
import QUICTransport

/// Makes the links of one client: reads its files, looks names up, and has a plan for which way is tried when.
///
/// Confined to its event loop, but for its initializer.
final class LinkDialer: BrokerLinkDialer {
    /// Looks up the addresses of a name with a port.
    typealias Resolve = (String, Int, any EventLoop) -> EventLoopFuture<[SocketAddress]>

    let settings: LinkSettings
    let eventLoop: any EventLoop
    let logger: Logger
    private let resolve: Resolve
    var plan: LinkPlan
    /// The address family that worked last. It is tried first the next time.
    var lastGoodFamily: NIOBSDSocket.ProtocolFamily?
    /// What was read from files, and whether it has to be read again.
    private var security: LinkSecurity?
    private var isSecurityStale = true
    private var sockets: LinkSockets?
    /// The lookups under way: when DNS hangs, attempts that come and go must not pile up lookups.
    private var lookups: [String: EventLoopFuture<[SocketAddress]>] = [:]

    init(
        _ configuration: MQTTClientConfiguration, on eventLoop: any EventLoop, logger: Logger,
        resolve: @escaping Resolve = { HostResolver().resolve(host: $0, port: $1, on: $2) }
    ) {
        self.settings = LinkSettings(configuration)
        self.eventLoop = eventLoop
        self.logger = logger
        self.resolve = resolve
        self.plan = LinkPlan(settings.rules)
    }

    func dial(connect: ByteBuffer, observer: any BrokerLinkObserver) -> any BrokerLink {
        let link = ClientLink(connect: connect, observer: observer, dialer: self)
        eventLoop.assumeIsolated().execute { link.start() }
        return link
    }

    func release() {
        sockets?.release()
        sockets = nil
        // Tickets are written when they come; what is left is that one was used. A process that ends now must not end
        // in the middle of that.
        security?.tickets?.save()
    }

    /// The sockets of the event loop, until ``release()``.
    func takeSockets() -> LinkSockets {
        let sockets = sockets ?? LinkSockets.take(on: eventLoop, logger: logger)
        self.sockets = sockets
        return sockets
    }
}

// MARK: - Files

extension LinkDialer {
    /// Reads the files on another thread, unless that was done before.
    func prepare(_ done: @escaping (Result<LinkSecurity, any Error>) -> Void) {
        if let security, !isSecurityStale { return done(.success(security)) }
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { [settings, security, logger] in
            try LinkSecurity(settings, after: security, logger: logger)
        }
        .assumeIsolated()
        .whenComplete { [self] result in
            if case .success(let security) = result {
                self.security = security
                isSecurityStale = false
            }
            done(result)
        }
    }

    /// The files are read again for the next link.
    func forgetFiles() {
        isSecurityStale = true
    }

    /// A ticket has come.
    func ticketsChanged(_ security: LinkSecurity) {
        guard let tickets = security.tickets, tickets.hasFile else { return }
        NIOThreadPool.singleton.submit { state in
            if state == .active { tickets.save() }
        }
    }
}

// MARK: - Names

extension LinkDialer {
    /// Whether a lookup is under way.
    var isLookingUp: Bool { !lookups.isEmpty }

    /// Looks up the addresses, unless that is under way already.
    func lookUp(_ target: LinkTarget, _ found: @escaping (Result<[SocketAddress], any Error>) -> Void) {
        let key = target.hostAndPort
        if let pending = lookups[key] { return pending.assumeIsolated().whenComplete(found) }
        let lookup = resolve(target.host, target.port, eventLoop)
        lookups[key] = lookup
        lookup.assumeIsolated().whenComplete { [weak self] _ in self?.lookups[key] = nil }
        lookup.assumeIsolated().whenComplete(found)
    }
}
