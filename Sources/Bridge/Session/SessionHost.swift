import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// What the sessions of one event loop share.
final class SessionHost {
    let configuration: BridgeConfiguration
    let eventLoop: any EventLoop
    let logger: Logger
    let users: LocalUsers?
    let clientIDs: ClientIDs
    /// The uplink of devices with sessions of their own at the broker.
    let uplink: UplinkDriver
    let dialer: QUICDialer
    private let shared: SharedState
    /// The uplinks of devices in the gateway's sessions, by the version of those sessions.
    private(set) var gateways: [MQTTVersion: UplinkDriver] = [:]
    let routes: RoutingTable
    private let identities: IdentityMapper
    private let admission: SharedAdmission
    /// What devices of one listener share, by the listener's name.
    private var contexts: [String: SessionContext] = [:]
    private(set) var devices = NumberedBook<SessionDriver>()
    /// How many devices are in which state.
    var deviceCounts = DeviceCounts()
    /// What passes through the sessions.
    let traffic = TrafficCounters()
    var sessions = SessionCounters()
    var reportedLosses = ReportedLosses()
    private let keepAlives: KeepAliveClock
    private let rests: RestClock
    var statistics = BridgeStatistics()
    private var whenEmpty: EventLoopPromise<Void>?
    /// Whether no new devices are taken.
    private(set) var isDraining = false

    init(shared: SharedState, eventLoop: any EventLoop) {
        self.configuration = shared.configuration
        self.eventLoop = eventLoop
        self.logger = shared.logger
        self.routes = shared.routes.counted()
        self.identities = shared.identities
        self.admission = shared.admission
        self.keepAlives = KeepAliveClock(eventLoop: eventLoop)
        self.rests = RestClock(eventLoop: eventLoop)
        self.users = shared.users
        self.clientIDs = shared.clientIDs
        self.dialer = QUICDialer(
            configuration: shared.configuration, eventLoop: eventLoop, tls: shared.tls, tickets: shared.tickets,
            news: shared.pathNews, logger: shared.logger)
        dialer.shownCertificate = shared.shownCertificate
        self.uplink = UplinkDriver(.devices, shared: shared, dialer: dialer, eventLoop: eventLoop)
        self.shared = shared
    }

    /// Makes connections to the broker ahead of the devices, which are about to come.
    func start() {
        uplink.start()
    }

    /// Whether sessions outlive their uplink legs.
    var holdsDevices: Bool { shared.hold != nil }

    /// Makes a session of the kind that the mapping needs.
    func makeSession(_ decision: AdmissionControl.Decision, listener: String, peer: String) -> any DeviceSession {
        let context = sessionContext(decision, listener: listener, peer: peer)
        guard let identity = configuration.uplink.identity, configuration.uplink.mapping == .dataStream else {
            return Session(context: context)
        }
        return DataStreamSession(
            context: DataStreamContext(
                device: context, versions: identity.version, allowsAnonymous: configuration.auth.allowsAnonymous))
    }

    /// Starts a data stream in a session of the gateway.
    func openDataStream(_ version: MQTTVersion, observer: any UplinkLegObserver) -> UplinkLeg {
        guard let identity = configuration.uplink.identity else {
            preconditionFailure("only the mapping data-stream asks for data streams, and it has an identity")
        }
        let gateway =
            gateways[version]
            ?? UplinkDriver(
                .gateway(version, identity, shared.gatewayNumbers), shared: shared, dialer: dialer,
                eventLoop: eventLoop)
        gateways[version] = gateway
        return gateway.connect(keepAlive: nil, observer: observer)
    }

    private func sessionContext(
        _ decision: AdmissionControl.Decision, listener: String, peer: String
    ) -> SessionContext {
        var context =
            contexts[listener]
            ?? SessionContext(
                routes: routes, identities: identities, maximumPacketSize: configuration.limits.packetSize,
                connectWithin: configuration.limits.connectWithin,
                connectTimeout: configuration.uplink.sessionTimeout, listener: listener,
                makeClientID: ClientIDMaker.make, hold: shared.hold)
        contexts[listener] = context
        context.peer = peer
        if case .refuse(let why) = decision { context.overLimit = why }
        return context
    }

    /// The figures as of now.
    var currentStatistics: BridgeStatistics {
        var now = statistics
        now.openDevices = devices.count
        return now
    }

    func add(_ driver: SessionDriver) {
        statistics.devices += 1
        devices.add(driver, driver.meter.id)
        deviceCounts[driver.meter.state] += 1
    }

    /// The device is gone and no longer counts in the limits, so another one may come.
    func deviceLeft(_ decision: AdmissionControl.Decision, peer: String) {
        admission.left(decision, from: peer)
    }

    /// Calls the driver at that time to check its device's keepalive.
    func watchKeepAlive(of driver: SessionDriver, from deadline: NIODeadline) {
        keepAlives.watch(driver.meter.id, deadline) { [weak self] id, now in
            self?.devices[id]?.checkKeepAlive(at: now)
        }
    }

    func forgetKeepAlive(of driver: SessionDriver) {
        keepAlives.forget(driver.meter.id)
    }

    /// Looks how much comes to the driver, until its session rests.
    func watchRest(of driver: SessionDriver) {
        rests.watch(driver.meter.id) { [weak self] id in self?.devices[id]?.mayRest() ?? true }
    }

    func remove(_ driver: SessionDriver) {
        guard devices.remove(driver.meter.id) != nil else { return }
        deviceCounts[driver.meter.state] -= 1
        rests.forget(driver.meter.id)
        if devices.isEmpty { whenEmpty?.succeed() }
    }

    /// The network of this machine has changed.
    ///
    /// - Returns: how many connections move.
    func networkChanged() -> EventLoopFuture<Int> {
        dialer.networkChanged()
    }

    /// Ends the connections, once all sessions are over or have had their time.
    func close() {
        for uplink in [uplink] + gateways.values { uplink.retire() }
        dialer.flush()
        for uplink in [uplink] + gateways.values { uplink.close() }
        dialer.shutDown()
    }

    /// Takes no new devices from now on. A device whose CONNECT has come stays.
    func stopTaking() {
        isDraining = true
        for driver in devices.all where !driver.isIdentified { driver.shutDown() }
    }

    /// Ends all sessions in order. The future completes when the last one is over.
    func shutDown() -> EventLoopFuture<Void> {
        let promise = whenEmpty ?? eventLoop.makePromise()
        whenEmpty = promise
        for driver in devices.all { driver.shutDown() }
        if devices.isEmpty { promise.succeed() }
        return promise.futureResult
    }
}
