import BridgeCore
import Logging
import NIOCore
import NIOPosix
import QUICTransport

/// Opens TCP connections to the broker for one event loop.
final class BrokerConnector {
    /// For how long an answer of the DNS is used.
    private static let lookupLifetime = TimeAmount.seconds(5)

    private let configuration: ServeConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let resolver = HostResolver()
    private var addresses: [SocketAddress] = []
    private var resolvedAt: NIODeadline?
    /// The legs that wait for the look-up that is under way: at most one for each session.
    private var waiting: [BrokerLeg] = []
    private var lastFailure: String?

    init(configuration: ServeConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
    }

    func connect(observer: any BrokerLegObserver) -> BrokerLeg {
        let leg = BrokerLeg(observer: observer)
        if let resolvedAt, .now() < resolvedAt + Self.lookupLifetime {
            attempt(leg, addresses[...])
        } else {
            waiting.append(leg)
            if waiting.count == 1 { lookUp() }
        }
        return leg
    }

    private func lookUp() {
        resolver.resolve(host: configuration.brokerHost, port: configuration.brokerPort, on: eventLoop)
            .assumeIsolated()
            .whenComplete { [weak self] result in
                guard let self else { return }
                let legs = waiting
                waiting = []
                switch result {
                case .success(let found):
                    addresses = found
                    resolvedAt = .now()
                    for leg in legs { attempt(leg, found[...]) }
                case .failure(let error):
                    for leg in legs { failed(leg, "\(error)") }
                }
            }
    }

    private func attempt(_ leg: BrokerLeg, _ rest: ArraySlice<SocketAddress>, _ error: (any Error)? = nil) {
        guard leg.isWanted else { return }
        guard let address = rest.first else { return failed(leg, error?.inWords ?? "it has no address") }
        let share = TimeAmount(configuration.brokerConnectTimeout / max(addresses.count, 1))
        ClientBootstrap(group: eventLoop)
            .connectTimeout(share)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1_024, maximum: 65_536)
            )
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { [weak self] result in
                switch result {
                case .success(let channel):
                    self?.succeeded()
                    leg.connected(channel)
                case .failure(let error):
                    self?.attempt(leg, rest.dropFirst(), error)
                }
            }
    }

    private func succeeded() {
        guard let failure = lastFailure else { return }
        logger.notice("the broker can be reached again", metadata: ["leg": "broker", "before": "\(failure)"])
        lastFailure = nil
    }

    private func failed(_ leg: BrokerLeg, _ why: String) {
        if lastFailure == nil {
            logger.warning(
                "the broker cannot be reached",
                metadata: [
                    "leg": "broker", "error": "\(why)",
                    "broker": "\(configuration.brokerHost):\(configuration.brokerPort)",
                ])
        }
        lastFailure = why
        leg.unreachable(why)
    }
}
