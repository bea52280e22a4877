import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// Makes QUIC connections to the broker for one event loop. It looks the broker's name up for each connection, races
/// its addresses, and resumes a session if a ticket allows that. Its callers decide where to connect, when and for
/// which device.
final class QUICDialer {
    let eventLoop: any EventLoop
    /// How the next connections are made. Those that were begun keep the settings that they were begun with.
    private var settings: DialSettings
    private let resolve: Resolve
    let logger: Logger
    private var endpoints: [QUICAddressFamily: QUICEndpoint] = [:]
    private var attempts: [ObjectIdentifier: QUICAttempt] = [:]
    /// The attempts that wait for the lookup of a name. There is one lookup per name at a time: when DNS hangs, devices
    /// that come and go must not pile up lookups. An attempt that has waited for too long leaves the line. Bounded by
    /// `limits.devices`.
    private(set) var lookups: [UplinkEndpoint: WaitingLine<ObjectIdentifier, QUICAttempt>] = [:]
    /// The addresses that the last successful lookup of each name found, for use when a lookup hangs although the
    /// broker is reachable.
    private var known: [UplinkEndpoint: [SocketAddress]] = [:]
    /// The address family that worked last. It is tried first the next time.
    private(set) var lastGoodFamily: NIOBSDSocket.ProtocolFamily?
    /// Watches the paths of the connections made here.
    let paths: PathKeeper
    /// How often the broker accepted early data, and how often it did not.
    var earlyData = (accepted: UInt64(0), rejected: UInt64(0))
    /// Keeps the certificate that the broker showed; `nil` if nobody wants to know.
    var shownCertificate: ShownCertificate?

    /// Looks up the addresses of a name with a port.
    typealias Resolve = (String, Int, any EventLoop) -> EventLoopFuture<[SocketAddress]>

    init(
        configuration: BridgeConfiguration, eventLoop: any EventLoop, tls: QUICTLSContext, tickets: TicketStore,
        news: PathNews, logger: Logger,
        resolve: @escaping Resolve = { HostResolver().resolve(host: $0, port: $1, on: $2) }
    ) {
        self.paths = PathKeeper(eventLoop: eventLoop, news: news)
        self.settings = DialSettings(configuration, tls: tls, tickets: tickets)
        self.eventLoop = eventLoop
        self.resolve = resolve
        self.logger = logger
        paths.prober = self
    }

    /// Makes the next connections under these settings. The sockets stay.
    func adopt(_ new: UplinkSettings) {
        settings = DialSettings(new.configuration, tls: new.tls, tickets: new.tickets)
        let endpoints = Set(new.configuration.uplink.endpoints)
        known = known.filter { endpoints.contains($0.key) }
    }

    /// Starts a connection. The outcome goes to its observer, never from within this call.
    ///
    /// - Parameters:
    ///   - endpoint: The only endpoint that is tried.
    ///   - within: How long making the connection may take, from looking up the name to the end of the handshake.
    ///   - idleTimeout: How long nothing may be heard before the connection ends.
    ///   - leg: The leg whose first bytes may go out before the handshake, if a ticket and `uplink.zero_rtt` allow it.
    ///     The leg then opens at once, and everything but those bytes waits for the handshake.
    ///   - control: The gateway's session, if the connection needs one.
    func dial(
        _ id: UplinkConnectionID, to endpoint: UplinkEndpoint, within: Duration, idleTimeout: Duration,
        observer: any UplinkCarrierObserver, early leg: UplinkLeg? = nil, control: GatewayControl? = nil
    ) -> QUICCarrier {
        let connection = QUICCarrier(
            id, to: endpoint, idleTimeout: idleTimeout, settings: settings, dialer: self, observer: observer,
            control: control)
        let attempt = QUICAttempt(
            connection, dialer: self, until: .now() + TimeAmount(within),
            early: settings.uplink.zeroRTT == .connect ? leg : nil)
        attempts[ObjectIdentifier(connection)] = attempt
        eventLoop.assumeIsolated().execute { [self] in
            guard !attempt.isOver else { return }
            lookUp(endpoint, for: attempt)
        }
        return connection
    }

    /// The sockets, for their figures.
    var sockets: [QUICEndpoint] { Array(endpoints.values) }

    /// Sends what waits to be sent.
    func flush() {
        for endpoint in endpoints.values { endpoint.flush() }
    }

    /// All connections are closed, so the sockets are closed once everything has been sent.
    func shutDown() {
        paths.shutDown()
        for endpoint in endpoints.values { endpoint.flushAndAbandon() }
        endpoints.removeAll()
    }
}

// MARK: - Names

extension QUICDialer {
    private func lookUp(_ endpoint: UplinkEndpoint, for attempt: QUICAttempt) {
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

    private func found(_ result: Result<[SocketAddress], any Error>, for attempt: QUICAttempt) {
        switch result {
        case .success(let all):
            let family = attempt.connection.settings.uplink.addressFamily
            let usable = all.filter { family.admits($0) }
            guard usable.isEmpty else {
                known[attempt.connection.endpoint] = usable
                return attempt.begin(with: usable)
            }
            attempt.fail(
                "\(attempt.connection.endpoint.host) has no \(family.rawValue) address")
        case .failure(let error):
            attempt.fail("\(error)")
        }
    }
}

// MARK: - For attempts

extension QUICDialer {
    /// Starts one QUIC connection to one address. Its events go to the dial.
    func connect(
        _ connection: QUICCarrier, by dial: QUICDial, to address: SocketAddress, ticket: QUICResumption?,
        earlyData: Bool
    ) throws -> QUICConnectionHandle {
        paths.tried(address, of: connection.endpoint)
        let settings = connection.settings
        var quic = QUICConfiguration(settings.uplink)
        quic.handshakeTimeout = max(Duration(dial.deadline - .now()), .milliseconds(100))
        quic.idleTimeout = connection.idleTimeout
        quic.setWindows(settings.receiveWindow, streams: settings.uplink.largestShare)
        return try endpoint(for: address).connect(
            to: address, serverName: connection.endpoint.certificateName, configuration: quic,
            tls: settings.tls, resumption: ticket, earlyData: earlyData, observer: dial)
    }

    private func endpoint(for address: SocketAddress) throws -> QUICEndpoint {
        let family = QUICAddressFamily(address) ?? .ipv4
        if let endpoint = endpoints[family] { return endpoint }
        let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
        endpoint.probeObserver = paths
        endpoints[family] = endpoint
        return endpoint
    }

    /// A handshake with the broker was completed.
    func verified(_ handle: QUICConnectionHandle) {
        // With a ticket the broker shows no certificate.
        if !handle.isResumed { shownCertificate?.note(at: .now()) { handle.peerCertificate } }
    }

    func succeeded(_ attempt: QUICAttempt, at address: SocketAddress) {
        lastGoodFamily = address.protocol
        ended(attempt)
    }

    func ended(_ attempt: QUICAttempt) {
        attempts[ObjectIdentifier(attempt.connection)] = nil
        lookups[attempt.connection.endpoint]?.remove(ObjectIdentifier(attempt))
    }

    /// The connection was closed before it was established.
    func abandoned(_ connection: QUICCarrier) {
        guard let attempt = attempts.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        attempt.abandon()
        lookups[connection.endpoint]?.remove(ObjectIdentifier(attempt))
    }
}

extension UplinkConfiguration {
    /// The most streams that a connection may carry.
    fileprivate var largestShare: Int {
        switch mapping {
        case .connection: 1
        case .auto, .mux, .dataStream: devicesPerConnection
        }
    }
}

extension QUICDialer: PathProber {
    func probe(_ address: SocketAddress) {
        QUICAddressFamily(address).flatMap { endpoints[$0] }?.probe(address)
    }

    /// This machine's addresses, routes or interfaces have changed. The future's value is the number of connections
    /// that move.
    func networkChanged() -> EventLoopFuture<Int> {
        for attempt in attempts.values { attempt.hurry() }
        return .reduce(0, endpoints.values.map { $0.networkChanged() }, on: eventLoop, +)
    }

    /// The broker answers again, so an unanswered handshake begins again, and an attempt that still waits for a lookup
    /// begins with the addresses of the previous one. (A lookup that began without a network takes seconds to notice
    /// that there is one.)
    func hurry(_ connection: QUICCarrier) {
        guard let attempt = attempts[ObjectIdentifier(connection)] else { return }
        if attempt.isAwaitingAddresses, let addresses = known[connection.endpoint] {
            attempt.begin(with: addresses)
        } else {
            attempt.hurry()
        }
    }
}
