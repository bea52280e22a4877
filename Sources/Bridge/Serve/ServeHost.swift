import BridgeCore
import Logging
import NIOCore
import QUICTransport

/// What `serve`'s connections on one event loop share.
final class ServeHost {
    private(set) var configuration: ServeConfiguration
    let eventLoop: any EventLoop
    let logger: Logger
    let admission: SharedServeAdmission
    let broker: BrokerConnector
    /// Shared by all event loops.
    let pulses: BrokerPulses
    private(set) var room: WaitingRoom
    /// Set if the event loop may wait for more before it handles what has come.
    let gathering: LoopGathering?
    var statistics = ServeStatistics()
    private(set) var devices = NumberedBook<RelayDriver>()
    /// How many sessions are in which state.
    var deviceCounts = DeviceCounts()
    var reportedLosses = ReportedLosses()
    private(set) var endpoints: [QUICEndpoint] = []
    private(set) var connections: [ObjectIdentifier: ServedConnection] = [:]
    private var isShuttingDown = false
    /// Has clients leave one after the other; `nil` unless the server drains.
    private var exodus: ServeExodus?
    private var whenEmpty: EventLoopPromise<Void>?

    init(
        configuration: ServeConfiguration, admission: SharedServeAdmission, pulses: BrokerPulses,
        eventLoop: any EventLoop, logger: Logger
    ) {
        self.pulses = pulses
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        self.admission = admission
        self.room = .ofLoop(streamBuffer: configuration.limits.streamBuffer)
        self.gathering = .begin(delay: configuration.gatherDelay, on: eventLoop)
        self.broker = BrokerConnector(configuration: configuration, eventLoop: eventLoop, logger: logger)
    }

    /// Returns the address listened on; if the port was 0, with the one that the kernel chose.
    func listen(
        on address: SocketAddress, _ server: QUICServerConfiguration, place: QUICDatagramExchange.Place?
    ) -> EventLoopFuture<SocketAddress> {
        do {
            let endpoint = try QUICEndpoint(
                listeningOn: address, eventLoop: eventLoop, configuration: server, delegate: self, place: place,
                logger: logger)
            endpoints.append(endpoint)
            return endpoint.listen()
        } catch {
            return eventLoop.makeFailedFuture(error)
        }
    }

    /// New connections use `tls`; existing ones keep the certificates that they began with.
    func use(_ tls: QUICTLSContext) {
        for endpoint in endpoints { endpoint.server?.tls = tls }
    }

    /// New connections and sessions use this configuration; existing ones keep what they began with.
    func adopt(_ new: ServeConfiguration, _ server: QUICServerConfiguration) {
        if new.limits.streamBuffer != configuration.limits.streamBuffer {
            room = .ofLoop(streamBuffer: new.limits.streamBuffer)
        }
        configuration = new
        broker.adopt(new)
        for endpoint in endpoints { endpoint.server?.adopt(server) }
    }

    /// The statistics as of now.
    var currentStatistics: ServeStatistics {
        var now = statistics
        now.openConnections = connections.count
        return now
    }

    func add(_ driver: RelayDriver) {
        devices.add(driver, driver.meter.id)
        deviceCounts[driver.meter.state] += 1
    }

    func remove(_ driver: RelayDriver) {
        guard devices.remove(driver.meter.id) != nil else { return }
        deviceCounts[driver.meter.state] -= 1
    }

    /// Returns `false` if the connection had been removed before.
    func remove(_ connection: ServedConnection) -> Bool {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return false }
        admission.left(from: connection.address, isProven: connection.isAddressProven)
        if connections.isEmpty { whenEmpty?.succeed() }
        return true
    }

    // MARK: - Shutdown

    /// Refuses new connections, and has the clients leave one after the other. Called again, it has those that are left
    /// leave within the new limit.
    ///
    /// - Parameter loops: How many event loops there are, whose clients leave at the same time.
    func drain(within limit: Duration, loops: Int) {
        guard !isShuttingDown else { return }
        self.exodus?.end()
        let staying = connections.values.filter { !$0.isShuttingDown }
        // The other server may have the same limit, and clients of its own.
        let rate = configuration.limits.handshakesPerSecond / 4 / max(loops, 1)
        let pace = ExodusPace(of: staying.count, perSecond: rate, within: limit)
        let exodus = ServeExodus(of: staying, pace, on: eventLoop)
        self.exodus = exodus
        exodus.nextTurn()
    }

    /// What clients are told that are there at the end: to come back later, or, after a drain, to go to another server.
    private var parting: UInt64 { exodus == nil ? ServeCode.goingAway : ServeCode.goElsewhere }

    /// Refuses new connections and ends all sessions in order; completes when the last connection has ended.
    func shutDown() -> EventLoopFuture<Void> {
        isShuttingDown = true
        exodus?.end()
        let promise = whenEmpty ?? eventLoop.makePromise()
        whenEmpty = promise
        for connection in connections.values { connection.shutDown(parting) }
        if connections.isEmpty { promise.succeed() }
        return promise.futureResult
    }

    /// Closes the remaining connections, and then the sockets once these have sent the closing packets, or after 1 s.
    func close() -> EventLoopFuture<Void> {
        for connection in connections.values { connection.close(parting, "server shutting down") }
        let impatience = Timer(on: eventLoop)
        impatience.arm(in: .seconds(1)) { [endpoints] in
            for endpoint in endpoints { endpoint.flushAndAbandon() }
        }
        let ends = endpoints.map { $0.shutDown() }
        return EventLoopFuture.andAllComplete(ends, on: eventLoop).assumeIsolated()
            .always { _ in impatience.cancel() }.nonisolated()
    }
}

extension ServeHost: QUICEndpointDelegate {
    func endpoint(_ endpoint: QUICEndpoint, decidesOn incoming: QUICIncomingConnection) -> QUICAcceptance {
        guard !isShuttingDown, exodus == nil else {
            statistics.refusals[.shuttingDown, default: 0] += 1
            return .refuse
        }
        switch admission.decide(on: incoming) {
        case .admit:
            return .accept
        case .validateAddress:
            statistics.retries += 1
            return .retry
        case .refuse(let refusal):
            statistics.refusals[refusal, default: 0] += 1
            return .refuse
        }
    }

    func endpoint(
        _ endpoint: QUICEndpoint, accepted handle: QUICConnectionHandle, from incoming: QUICIncomingConnection
    ) -> any QUICConnectionObserver {
        let isValidated = incoming.isAddressValidated
        let connection = ServedConnection(host: self, handle: handle, isAddressValidated: isValidated)
        admission.joined(from: connection.address, isValidated: isValidated)
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }
}
