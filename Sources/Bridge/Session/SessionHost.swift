import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// What the sessions of one event loop share.
final class SessionHost {
    /// What is in force on this event loop.
    private(set) var generation: Generation
    /// The rules of the generation, with the uses of the routes counted on this event loop.
    private(set) var rules: SessionRules
    let eventLoop: any EventLoop
    let logger: Logger
    let clientIDs: ClientIDs
    /// The uplink of devices with sessions of their own at the broker.
    private(set) var uplink: UplinkDriver
    let dialer: QUICDialer
    private let shared: SharedState
    /// The uplinks of devices in the gateway's sessions, by the version of those sessions.
    private(set) var gateways: [MQTTVersion: UplinkDriver] = [:]
    /// Drivers of earlier settings, which still carry devices.
    private(set) var draining: [ObjectIdentifier: UplinkDriver] = [:]
    private let admission: SharedAdmission
    /// What devices of one listener share, by the listener's name.
    private var contexts: [String: SessionContext] = [:]
    private(set) var devices = NumberedBook<SessionDriver>()
    /// How many devices are in which state.
    var deviceCounts = DeviceCounts()
    /// What passes through the sessions.
    let traffic = TrafficCounters()
    var sessions = SessionCounters()
    /// Whether the broker answers the CONNECT packets of devices.
    var connects = ConnectRecord()
    var reportedLosses = ReportedLosses()
    private let keepAlives: KeepAliveClock
    private let rests: RestClock
    private let roomLine: RoomLine
    /// Set if the event loop may wait for more before it handles what has come.
    let gathering: LoopGathering?
    var statistics = BridgeStatistics()
    private var whenEmpty: EventLoopPromise<Void>?
    /// Whether no new devices are taken.
    private(set) var isDraining = false
    private var isStarted = false
    private var isClosed = false

    init(shared: SharedState, eventLoop: any EventLoop) {
        let generation = shared.generation
        self.generation = generation
        self.rules = generation.rules.counted()
        self.eventLoop = eventLoop
        self.logger = shared.logger
        self.admission = shared.admission
        self.keepAlives = KeepAliveClock(eventLoop: eventLoop)
        self.rests = RestClock(eventLoop: eventLoop)
        self.roomLine = RoomLine(shared.holdBudget, eventLoop: eventLoop)
        self.gathering = .begin(delay: generation.configuration.gatherDelay, on: eventLoop)
        self.clientIDs = shared.clientIDs
        self.dialer = QUICDialer(
            configuration: generation.configuration, eventLoop: eventLoop, tls: generation.uplink.tls,
            tickets: generation.uplink.tickets, news: shared.pathNews, logger: shared.logger)
        dialer.shownCertificate = shared.shownCertificate
        self.uplink = UplinkDriver(.devices, generation.uplink, shared: shared, dialer: dialer, eventLoop: eventLoop)
        self.shared = shared
        uplink.owner = self
    }

    var configuration: BridgeConfiguration { generation.configuration }

    /// What the long packets of all devices take their bytes from.
    var longPackets: LongPacketBudget { shared.longPackets }

    /// The users that the bridge itself authenticates; only the mapping `data-stream` has them.
    var users: LocalUsers? { generation.users }

    /// Makes connections to the broker ahead of the devices, which are about to come.
    func start() {
        isStarted = true
        uplink.start()
    }

    /// Whether sessions outlive their uplink legs.
    var holdsDevices: Bool { generation.hold != nil }

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
        gateway(version).connect(keepAlive: nil, observer: observer)
    }

    private func gateway(_ version: MQTTVersion) -> UplinkDriver {
        if let gateway = gateways[version] { return gateway }
        guard let identity = configuration.uplink.identity else {
            preconditionFailure("only the mapping data-stream asks for data streams, and it has an identity")
        }
        let gateway = UplinkDriver(
            .gateway(version, identity, shared.gatewayNumbers), generation.uplink, shared: shared, dialer: dialer,
            eventLoop: eventLoop)
        gateway.owner = self
        gateways[version] = gateway
        return gateway
    }

    private func sessionContext(
        _ decision: AdmissionControl.Decision, listener: String, peer: String
    ) -> SessionContext {
        var context =
            contexts[listener]
            ?? SessionContext(
                routes: rules.routes, identities: rules.identities,
                maximumPacketSize: configuration.limits.packetSize,
                connectWithin: configuration.limits.connectWithin,
                connectTimeout: configuration.uplink.sessionTimeout, listener: listener,
                makeClientID: ClientIDMaker.make, hold: generation.hold,
                idleTimeout: configuration.uplink.idleTimeout)
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

    /// Has the driver look at its device's packets again when held sessions have room.
    func awaitRoom(of driver: SessionDriver) {
        roomLine.join(driver.meter.id) { [weak self] id in self?.devices[id]?.handle() }
    }

    func remove(_ driver: SessionDriver) {
        guard devices.remove(driver.meter.id) != nil else { return }
        deviceCounts[driver.meter.state] -= 1
        rests.forget(driver.meter.id)
        roomLine.leave(driver.meter.id)
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
        isClosed = true
        let drivers = [uplink] + gateways.values + draining.values
        for driver in drivers { driver.retire() }
        dialer.flush()
        for driver in drivers { driver.close() }
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

// MARK: - Reload

extension SessionHost: UplinkDriverOwner {
    /// How many devices are looked at in one turn of the event loop.
    private static let turn = 256

    /// Puts a generation in force. Devices that come and connections that are made from now on use it.
    func adopt(_ new: Generation) {
        guard !isClosed, new !== generation else { return }
        let hasOtherUplink = new.uplink !== generation.uplink
        generation = new
        rules = new.rules.counted(after: rules)
        contexts = [:]
        guard hasOtherUplink else { return }
        // What devices met on the way before says nothing about the next one.
        connects = ConnectRecord()
        dialer.adopt(new.uplink)
        let previous = [uplink] + gateways.values
        gateways = [:]
        uplink = UplinkDriver(.devices, new.uplink, shared: shared, dialer: dialer, eventLoop: eventLoop)
        uplink.owner = self
        for driver in previous {
            draining[ObjectIdentifier(driver)] = driver
            driver.drain()
        }
        if isStarted, whenEmpty == nil, !isDraining { uplink.start() }
    }

    func driver(_ role: UplinkDriver.Role) -> UplinkDriver {
        switch role {
        case .devices: uplink
        case .gateway(let version, _, _): gateway(version)
        }
    }

    func drained(_ driver: UplinkDriver) {
        guard draining.removeValue(forKey: ObjectIdentifier(driver)) != nil else { return }
        sessions = sessions + driver.handshakes
    }

    /// Ends the sessions of devices for which the rules change something; the others notice nothing. The future's value
    /// is how many they are.
    ///
    /// - Parameter isDryRun: Whether they are only counted.
    func review(_ rules: SessionRules, isDryRun: Bool) -> EventLoopFuture<Int> {
        let promise = eventLoop.makePromise(of: Int.self)
        review(devices.all[...], isDryRun ? rules : self.rules, isDryRun: isDryRun, 0, promise)
        return promise.futureResult
    }

    private func review(
        _ rest: ArraySlice<SessionDriver>, _ rules: SessionRules, isDryRun: Bool, _ before: Int,
        _ promise: EventLoopPromise<Int>
    ) {
        let count = before + rest.prefix(Self.turn).count { $0.adopt(rules, isDryRun: isDryRun) }
        let rest = rest.dropFirst(Self.turn)
        guard !rest.isEmpty else { return promise.succeed(count) }
        eventLoop.assumeIsolated().execute { [self] in
            review(rest, rules, isDryRun: isDryRun, count, promise)
        }
    }
}
