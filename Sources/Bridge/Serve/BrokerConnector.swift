import BridgeCore
import DequeModule
import Logging
import NIOCore
import NIOPosix
import QUICTransport
import TLSTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens TCP connections to the broker for one event loop.
///
/// A broker that cannot be reached may only be restarting, so new sessions wait a moment for it. One of them tries now
/// and then, and the others follow when it gets through.
final class BrokerConnector {
    /// How long a DNS answer is used.
    private static let lookupLifetime = TimeAmount.seconds(5)

    /// How long the broker may take to accept the connection of ``look(at:_:)``.
    private static let lookTimeout = TimeAmount.milliseconds(300)

    /// The time between two attempts to reach a broker that could not be reached.
    private static let pause = TimeAmount.milliseconds(200)
    /// How long a session waits for such a broker at most, unless `serve.broker_connect_timeout` is shorter.
    private static let patience = Duration.seconds(2)

    private var configuration: ServeConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let resolver = HostResolver()
    private var addresses: [SocketAddress] = []
    private var resolvedAt: NIODeadline?
    /// The legs that wait for the current DNS lookup: at most one per session.
    private var waiting: [BrokerLeg] = []
    private var lastFailure: String?
    /// What the attempts to reach the broker have come to.
    private(set) var record = UplinkRecord()
    /// The legs that wait for a broker that could not be reached: at most one per session, oldest first.
    private var retrying: Deque<BrokerLeg> = []
    private let retry: Timer

    init(configuration: ServeConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.retry = Timer(on: eventLoop)
        self.logger = logger
    }

    /// Connections that are begun from now on use this configuration.
    func adopt(_ new: ServeConfiguration) {
        if !new.hasSameBroker(as: configuration) {
            addresses = []
            resolvedAt = nil
            // What the other broker did says nothing about this one.
            record = UplinkRecord()
            lastFailure = nil
        }
        configuration = new
    }

    func connect(observer: any BrokerLegObserver) -> BrokerLeg {
        let leg = BrokerLeg(observer: observer)
        if retry.isArmed { retrying.append(leg) } else { start(leg) }
        return leg
    }

    private func start(_ leg: BrokerLeg) {
        if let resolvedAt, .now() < resolvedAt + Self.lookupLifetime {
            attempt(leg, addresses[...])
        } else {
            waiting.append(leg)
            if waiting.count == 1 { lookUp() }
        }
    }

    /// Finds out whether the broker at that address accepts connections, or at the address that was resolved first if
    /// `address` is `nil`. A broker that is about to die may accept one more connection, but drops it at once. A
    /// machine that does not answer soon counts as gone, because sessions wait for the result. If this process lacks what a
    /// connection takes, that says nothing about the broker, and it counts as there.
    func look(at address: SocketAddress?, _ answer: @escaping (Bool) -> Void) {
        guard let address = address ?? addresses.first else { return answer(false) }
        ClientBootstrap(group: eventLoop).connectTimeout(Self.lookTimeout).connect(to: address).assumeIsolated()
            .whenComplete { [eventLoop, configuration] result in
                let channel: any Channel
                switch result {
                case .success(let connected): channel = connected
                case .failure(let error): return answer(error.isOwnShortage)
                }
                // A broker that expects a PROXY header would log a connection without one as an error.
                if configuration.sendsProxyHeader { channel.writeAndFlush(ProxyHeader.local, promise: nil) }
                Timer.once(in: BrokerPulse.moment, on: eventLoop) {
                    let isThere = channel.isActive
                    channel.close(promise: nil)
                    answer(isThere)
                }
            }
    }

    private func lookUp() {
        resolver.resolve(host: configuration.brokerHost, port: configuration.brokerPort, on: eventLoop)
            .assumeIsolated()
            .whenComplete { [weak self, configuration] result in
                guard let self else { return }
                // A reload came in between.
                guard self.configuration.hasSameBroker(as: configuration) else { return lookUp() }
                let legs = waiting
                waiting = []
                switch result {
                case .success(let found):
                    addresses = found
                    resolvedAt = .now()
                    for leg in legs { attempt(leg, found[...]) }
                case .failure(let error):
                    for leg in legs { failed(leg, "\(error)", mayRetry: false) }
                }
            }
    }

    private func attempt(_ leg: BrokerLeg, _ rest: ArraySlice<SocketAddress>, _ error: (any Error)? = nil) {
        guard leg.isWanted else { return retryNext() }
        guard let address = rest.first else { return failed(leg, error?.inWords ?? "its name has no address") }
        bootstrap.connect(to: address).assumeIsolated().whenComplete { [weak self] result in
            switch result {
            case .success(let channel):
                self?.succeeded()
                leg.connected(channel)
            case .failure(let error):
                self?.attempt(leg, rest.dropFirst(), error)
            }
        }
    }

    private var bootstrap: ClientBootstrap {
        let share = TimeAmount(configuration.brokerConnectTimeout / max(addresses.count, 1))
        return ClientBootstrap(group: eventLoop)
            .connectTimeout(share)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.maxMessagesPerRead, value: StreamReadRoom.messagesPerRead)
            .channelOption(.recvAllocator, value: StreamReadRoom(initial: 256))
    }

    private func succeeded() {
        record.succeeded(at: .now())
        if let failure = lastFailure {
            logger.notice("the broker can be reached again", metadata: ["leg": "broker", "before": "\(failure)"])
            lastFailure = nil
        }
        retry.cancel()
        let legs = retrying
        retrying = []
        for leg in legs { start(leg) }
    }

    private func failed(_ leg: BrokerLeg, _ why: String, mayRetry: Bool = true) {
        if lastFailure == nil {
            logger.warning(
                "the broker cannot be reached; new sessions fail until it can",
                metadata: [
                    "leg": "broker", "error": "\(why)",
                    "broker": "\(configuration.brokerHost):\(configuration.brokerPort)",
                ])
        }
        lastFailure = why
        record.failed(why, at: .now())
        if mayRetry { retrying.append(leg) } else { leg.unreachable(why) }
        retryNext()
    }

    /// Gives up the legs that have waited long enough, and lets the first of the others try after a pause.
    private func retryNext() {
        let patience = TimeAmount(min(configuration.brokerConnectTimeout, Self.patience))
        let now = NIODeadline.now()
        let impatient = retrying.filter { $0.startedAt + patience <= now }
        retrying.removeAll { !$0.isWanted || $0.startedAt + patience <= now }
        for leg in impatient { leg.unreachable(lastFailure ?? "it did not answer") }
        guard !retry.isArmed, !retrying.isEmpty else { return }
        retry.arm(in: Self.pause) { [weak self] in
            guard let self else { return }
            if let leg = retrying.popFirst() { start(leg) }
        }
    }
}

extension ServeConfiguration {
    fileprivate func hasSameBroker(as other: ServeConfiguration) -> Bool {
        brokerHost == other.brokerHost && brokerPort == other.brokerPort
    }
}

extension Error {
    /// Whether a connection failed because this process or this machine has run out of something: descriptors, memory or
    /// local ports.
    fileprivate var isOwnShortage: Bool {
        guard let error = self as? IOError else { return false }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL].contains(error.errnoCode)
    }
}
