import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Makes QUIC connections to the broker, for one event loop: looks its name up anew each time, races its addresses, and
/// resumes where a ticket lets it. Where to, when and for whom is for its callers to say.
final class UplinkDialer {
    private let configuration: UplinkConfiguration
    let eventLoop: any EventLoop
    private let tls: QUICTLSContext
    let tickets: TicketStore
    /// Bytes that the broker may send a device before the device has taken any.
    private let receiveWindow: UInt64
    private let resolve: Resolve
    let logger: Logger
    private var endpoints: [QUICAddressFamily: QUICEndpoint] = [:]
    private var attempts: [ObjectIdentifier: UplinkAttempt] = [:]
    /// Who waits for the lookup under way, of which there is one per name: where DNS hangs, devices that come and go must
    /// not pile up lookups behind each other. Whoever has waited for too long is out of it. Bounded by `limits.devices`.
    private(set) var lookups: [UplinkEndpoint: WaitingLine<ObjectIdentifier, UplinkAttempt>] = [:]
    /// What the last lookup that found anything has found: for where one hangs though the broker is there.
    private var known: [UplinkEndpoint: [SocketAddress]] = [:]
    /// Tried first the next time: with two families, the one that works.
    private(set) var lastGoodFamily: NIOBSDSocket.ProtocolFamily?
    /// Of the connections made here.
    let paths: PathKeeper

    /// A name and a port.
    typealias Resolve = (String, Int, any EventLoop) -> EventLoopFuture<[SocketAddress]>

    init(
        configuration: BridgeConfiguration, eventLoop: any EventLoop, tls: QUICTLSContext, tickets: TicketStore,
        news: PathNews, logger: Logger,
        resolve: @escaping Resolve = { HostResolver().resolve(host: $0, port: $1, on: $2) }
    ) {
        self.paths = PathKeeper(eventLoop: eventLoop, news: news)
        self.configuration = configuration.uplink
        self.receiveWindow = UInt64(configuration.limits.sessionBuffer)
        self.eventLoop = eventLoop
        self.tls = tls
        self.tickets = tickets
        self.resolve = resolve
        self.logger = logger
        paths.prober = self
    }

    var pathTimeout: Duration? { configuration.pathTimeout }

    var connectTimeout: Duration { configuration.connectTimeout }

    /// Starts a connection; the outcome goes to its owner, never from within this call.
    ///
    /// - Parameters:
    ///   - endpoint: Where to: there and nowhere else.
    ///   - within: How long it may take, from the name to the end of the handshake.
    ///   - keepAlive: Of the device, where the connection is for one alone.
    ///   - leg: Whose first bytes may go before the handshake, where a ticket and `uplink.zero_rtt` allow it. It opens
    ///     then, and anything but those bytes waits for the handshake.
    ///   - control: Of the gateway's session, where the connection is to have one.
    func dial(
        to endpoint: UplinkEndpoint, within: Duration, keepAlive: Duration?, owner: any UplinkConnectionOwner,
        early leg: UplinkLeg? = nil, control: GatewayControl? = nil
    ) -> UplinkConnection {
        let idleTimeout = idleTimeout(for: keepAlive)
        let connection = UplinkConnection(
            to: endpoint, idleTimeout: idleTimeout, dialer: self, owner: owner, control: control)
        let attempt = UplinkAttempt(
            connection, dialer: self, until: .now() + TimeAmount(within),
            early: configuration.zeroRTT == .connect ? leg : nil)
        attempts[ObjectIdentifier(connection)] = attempt
        eventLoop.assumeIsolated().execute { [self] in
            guard !attempt.isOver else { return }
            lookUp(endpoint, for: attempt)
        }
        return connection
    }

    /// Sends what waits to be sent.
    func flush() {
        for endpoint in endpoints.values { endpoint.flush() }
    }

    /// All connections are closed: the sockets go when the last word is out.
    func shutDown() {
        paths.shutDown()
        for endpoint in endpoints.values { endpoint.flushAndAbandon() }
        endpoints.removeAll()
    }
}

// MARK: - Names

extension UplinkDialer {
    private func lookUp(_ endpoint: UplinkEndpoint, for attempt: UplinkAttempt) {
        attempt.awaitsAddresses(of: endpoint.host)
        let isUnderWay = lookups[endpoint] != nil
        lookups[endpoint, default: WaitingLine()].append(ObjectIdentifier(attempt), attempt)
        guard !isUnderWay else { return }
        resolve(endpoint.host, endpoint.port, eventLoop)
            .assumeIsolated()
            .whenComplete { [self] result in
                let attempts = lookups.removeValue(forKey: endpoint)
                for attempt in attempts?.all ?? [] where attempt.isAwaitingAddresses { found(result, for: attempt) }
            }
    }

    private func found(_ result: Result<[SocketAddress], any Error>, for attempt: UplinkAttempt) {
        switch result {
        case .success(let all):
            let usable = all.filter { configuration.addressFamily.admits($0) }
            guard usable.isEmpty else {
                known[attempt.connection.endpoint] = usable
                return attempt.begin(with: usable)
            }
            attempt.fail(
                "\(attempt.connection.endpoint.host) has no \(configuration.addressFamily.rawValue) address")
        case .failure(let error):
            attempt.fail("\(error)")
        }
    }
}

// MARK: - For attempts

extension UplinkDialer {
    /// Starts one QUIC connection to one address; its events go to the attempt.
    func connect(
        _ attempt: UplinkAttempt, to address: SocketAddress, ticket: QUICResumption?, earlyData: Bool
    ) throws -> QUICConnectionHandle {
        let connection = attempt.connection
        var quic = QUICConfiguration(configuration)
        quic.handshakeTimeout = max(Duration(attempt.deadline - .now()), .milliseconds(100))
        quic.idleTimeout = connection.idleTimeout
        quic.initialMaxStreamData = receiveWindow
        // Room for all streams: one whose device does not read takes nothing from the others.
        quic.initialMaxData = receiveWindow * UInt64(configuration.largestShare)
        return try endpoint(for: address).connect(
            to: address, serverName: connection.endpoint.certificateName, configuration: quic,
            tls: tls, resumption: ticket, earlyData: earlyData, observer: attempt)
    }

    private func endpoint(for address: SocketAddress) throws -> QUICEndpoint {
        let family = QUICAddressFamily(address) ?? .ipv4
        if let endpoint = endpoints[family] { return endpoint }
        let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
        endpoint.probeObserver = paths
        endpoints[family] = endpoint
        return endpoint
    }

    /// Above the MQTT keepalive, so that MQTT's own clock decides first.
    func idleTimeout(for keepAlive: Duration?) -> Duration {
        max(configuration.idleTimeout, keepAlive.map { $0 * 3 / 2 + .seconds(10) } ?? .zero)
    }

    func succeeded(_ attempt: UplinkAttempt, at address: SocketAddress) {
        lastGoodFamily = address.protocol
        ended(attempt)
    }

    func ended(_ attempt: UplinkAttempt) {
        attempts[ObjectIdentifier(attempt.connection)] = nil
        lookups[attempt.connection.endpoint]?.remove(ObjectIdentifier(attempt))
    }

    /// The connection is closed before it stood.
    func abandoned(_ connection: UplinkConnection) {
        guard let attempt = attempts.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        attempt.abandon()
        lookups[connection.endpoint]?.remove(ObjectIdentifier(attempt))
    }
}

extension UplinkConfiguration {
    /// Streams that a connection may come to carry.
    fileprivate var largestShare: Int {
        switch mapping {
        case .connection: 1
        case .auto, .mux, .dataStream: devicesPerConnection
        }
    }
}

extension UplinkDialer: PathProber {
    func probe(_ address: SocketAddress) {
        QUICAddressFamily(address).flatMap { endpoints[$0] }?.probe(address)
    }

    /// This machine has other addresses, routes or interfaces than before. The future tells how many connections move.
    func networkChanged() -> EventLoopFuture<Int> {
        for attempt in attempts.values { attempt.hurry() }
        return .reduce(0, endpoints.values.map { $0.networkChanged() }, on: eventLoop, +)
    }

    /// The broker answers again: a handshake that is not answered begins anew, and one whose name is still being looked
    /// up begins with the addresses that were known. (A lookup that has begun without a network takes seconds to notice
    /// that there is one.)
    func hurry(_ connection: UplinkConnection) {
        guard let attempt = attempts[ObjectIdentifier(connection)] else { return }
        if attempt.isAwaitingAddresses, let addresses = known[connection.endpoint] {
            attempt.begin(with: addresses)
        } else {
            attempt.hurry()
        }
    }
}
