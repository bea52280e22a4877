import BridgeCore
import DequeModule
import Logging
import NIOCore
import QUICTransport

/// Makes QUIC connections to the broker, for one event loop: looks its name up anew each time, and tries its addresses
/// in turn. When and for whom is for its callers to say.
final class UplinkDialer {
    /// A connection on its way: which addresses are left to try, and how long each may take.
    private struct Attempt {
        var addresses: Deque<SocketAddress>
        let share: Duration
        let keepAlive: Duration?
        /// The most telling of what went wrong so far.
        var failure: String?
    }

    private let configuration: UplinkConfiguration
    private let eventLoop: any EventLoop
    private let tls: QUICTLSContext
    /// Bytes that the broker may send a device before the device has taken any.
    private let receiveWindow: UInt64
    private let resolver: HostResolver
    private let logger: Logger
    private var endpoints: [QUICAddressFamily: QUICEndpoint] = [:]
    private var attempts: [ObjectIdentifier: Attempt] = [:]
    /// Connections that wait for the lookup under way; nil when there is none. Bounded by `limits.devices`.
    private var lookup: [(connection: UplinkConnection, keepAlive: Duration?)]?
    /// Tried first the next time: with two families, the one that works.
    private var lastGoodFamily: QUICAddressFamily?
    /// Of the connections made here.
    let paths: PathKeeper

    init(
        configuration: BridgeConfiguration, eventLoop: any EventLoop, tls: QUICTLSContext, news: PathNews,
        logger: Logger
    ) {
        self.paths = PathKeeper(eventLoop: eventLoop, news: news)
        self.configuration = configuration.uplink
        self.receiveWindow = UInt64(configuration.limits.sessionBuffer)
        self.eventLoop = eventLoop
        self.tls = tls
        self.resolver = HostResolver()
        self.logger = logger
        paths.prober = self
    }

    var pathTimeout: Duration? { configuration.pathTimeout }

    /// Starts a connection; the outcome goes to its owner, never from within this call.
    ///
    /// - Parameters:
    ///   - keepAlive: Of the device, where the connection is for one alone.
    ///   - control: Of the gateway's session, where the connection is to have one.
    func dial(
        keepAlive: Duration?, owner: any UplinkConnectionOwner, control: GatewayControl? = nil
    ) -> UplinkConnection {
        let connection = UplinkConnection(dialer: self, owner: owner, control: control)
        eventLoop.assumeIsolated().execute { [self] in
            guard connection.isDialing else { return }
            resolve(for: connection, keepAlive: keepAlive)
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

// MARK: - One attempt

extension UplinkDialer {
    /// One lookup at a time: where DNS hangs, devices that come and go must not pile up lookups behind each other.
    private func resolve(for connection: UplinkConnection, keepAlive: Duration?) {
        guard lookup == nil else {
            lookup?.append((connection, keepAlive))
            return
        }
        lookup = [(connection, keepAlive)]
        resolver.resolve(host: configuration.host, port: configuration.port, on: eventLoop)
            .assumeIsolated()
            .whenComplete { [self] result in
                let connections = lookup ?? []
                lookup = nil
                for (connection, keepAlive) in connections where connection.isDialing {
                    switch result {
                    case .success(let addresses): resolved(addresses, for: connection, keepAlive: keepAlive)
                    case .failure(let error): connection.failed("\(error)")
                    }
                }
            }
    }

    private func resolved(_ all: [SocketAddress], for connection: UplinkConnection, keepAlive: Duration?) {
        let addresses = ordered(all)
        guard !addresses.isEmpty else {
            return connection.failed("\(configuration.host) has no \(configuration.addressFamily.rawValue) address")
        }
        // A little less than the session waits, so that the device hears the reason and not only that time ran out.
        let share = max(configuration.connectTimeout * 0.9 / Double(addresses.count), .milliseconds(200))
        attempts[ObjectIdentifier(connection)] = Attempt(
            addresses: Deque(addresses), share: share, keepAlive: keepAlive)
        tryNext(connection)
    }

    private func ordered(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let usable = addresses.filter { configuration.addressFamily.admits($0) }
        guard let first = lastGoodFamily else { return usable }
        return usable.filter { QUICAddressFamily($0) == first } + usable.filter { QUICAddressFamily($0) != first }
    }

    private func tryNext(_ connection: UplinkConnection) {
        guard let address = attempts[ObjectIdentifier(connection)]?.addresses.popFirst(),
            let attempt = attempts[ObjectIdentifier(connection)]
        else {
            let failure = attempts.removeValue(forKey: ObjectIdentifier(connection))?.failure
            return connection.failed(failure ?? "no address is left to try")
        }
        do {
            let endpoint = try endpoint(for: address)
            let handle = try endpoint.connect(
                to: address, serverName: configuration.serverName ?? configuration.host,
                configuration: quicConfiguration(attempt), tls: tls, observer: connection)
            connection.started(handle)
        } catch {
            failed(connection, error)
        }
    }

    private func endpoint(for address: SocketAddress) throws -> QUICEndpoint {
        let family = QUICAddressFamily(address) ?? .ipv4
        if let endpoint = endpoints[family] { return endpoint }
        let endpoint = try QUICEndpoint(eventLoop: eventLoop, family: family, logger: logger)
        endpoint.probeObserver = paths
        endpoints[family] = endpoint
        return endpoint
    }

    private func quicConfiguration(_ attempt: Attempt) -> QUICConfiguration {
        var quic = QUICConfiguration(configuration)
        quic.handshakeTimeout = attempt.share
        // Above the MQTT keepalive, so that MQTT's own clock decides first.
        let patience = attempt.keepAlive.map { $0 * 3 / 2 + .seconds(10) } ?? .zero
        quic.idleTimeout = max(configuration.idleTimeout, patience)
        quic.initialMaxStreamData = receiveWindow
        // Room for all streams: one whose device does not read takes nothing from the others.
        quic.initialMaxData = receiveWindow * UInt64(configuration.largestShare)
        return quic
    }
}

extension UplinkDialer: PathProber {
    func probe(_ address: SocketAddress) {
        QUICAddressFamily(address).flatMap { endpoints[$0] }?.probe(address)
    }
}

// MARK: - Outcomes

extension UplinkDialer {
    func succeeded(_ connection: UplinkConnection, _ handle: QUICConnectionHandle) {
        attempts[ObjectIdentifier(connection)] = nil
        lastGoodFamily = handle.addressFamily
    }

    /// One address did not work: the next, or the end of the attempt.
    func failed(_ connection: UplinkConnection, _ error: any Error) {
        // What an address answered says more than that another one is silent.
        let key = ObjectIdentifier(connection)
        if attempts[key]?.failure == nil || !Self.isSilence(error) { attempts[key]?.failure = "\(error)" }
        tryNext(connection)
    }

    private static func isSilence(_ error: any Error) -> Bool {
        switch error as? QUICError {
        case .noAnswer, .unreachable: true
        default: false
        }
    }

    func abandoned(_ connection: UplinkConnection) {
        attempts[ObjectIdentifier(connection)] = nil
        lookup?.removeAll { $0.connection === connection }
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
