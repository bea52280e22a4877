import BridgeCore
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// Performs an ``UplinkPlan``'s actions on one event loop, and decides nothing: makes and closes connections, and gives
/// legs their streams.
///
/// Performing an action may cause events, after which the plan decides again before the next action is performed.
final class UplinkDriver {
    /// What the connections carry.
    enum Role {
        /// The devices' own sessions, one per connection or one per stream.
        case devices
        /// Sessions of the gateway in that version, whose data streams the devices get.
        case gateway(MQTTVersion, GatewayIdentity, GatewayNumbers)
    }

    let role: Role
    var configuration: UplinkConfiguration { settings.configuration.uplink }
    let eventLoop: any EventLoop
    let logger: Logger
    let shared: SharedState
    let settings: UplinkSettings
    /// The owner has the driver that makes connections, once this one drains.
    weak var owner: (any UplinkDriverOwner)?
    let dialer: QUICDialer
    /// The dialer of the fallback; `nil` if there is none.
    private let tlsDialer: TLSDialer?
    var plan: UplinkPlan
    /// This driver's identifier in `upstream`.
    private let waker: Int
    /// The legs in the plan. Bounded by `limits.devices`.
    private var legs: [UplinkLegID: UplinkLeg] = [:]
    /// The connections in the plan.
    private(set) var connections: [UplinkConnectionID: any UplinkCarrier] = [:]
    /// Connections that are being ended in order while everything is shut down.
    private var retiring: [any UplinkCarrier] = []
    private let timer: Timer
    /// What the handshakes came to.
    private(set) var handshakes = SessionCounters()
    private var isDriving = false
    private var isShutDown = false

    init(
        _ role: Role, _ settings: UplinkSettings, shared: SharedState, dialer: QUICDialer, eventLoop: any EventLoop
    ) {
        self.settings = settings
        self.role = role
        self.eventLoop = eventLoop
        self.logger = shared.logger
        self.shared = shared
        self.dialer = dialer
        self.tlsDialer = settings.fallback.map { TLSDialer($0, settings.configuration, on: eventLoop) }
        self.timer = Timer(on: eventLoop)
        self.waker = settings.upstream.makeWaker()
        let uplink = settings.configuration.uplink
        let hasStock = role.purpose == .devices && uplink.mapping != .dataStream
        self.plan = UplinkPlan(
            role.purpose, uplink, gate: settings.upstream, waker: waker,
            stockTarget: hasStock ? settings.stockShares.take() : 0)
        dialer.paths.add(self)
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        settings.upstream.register(waker) { eventLoop.execute { this.value.upstreamChanged() } }
    }

    /// Devices may come, so connections are made ahead of them from now on.
    func start() {
        plan.devicesMayCome()
        drive()
    }

    /// Starts a leg; the outcome goes to its observer, never from within this call.
    func connect(keepAlive: Duration?, observer: any UplinkLegObserver) -> UplinkLeg {
        let id = plan.makeLegID()
        let leg = UplinkLeg(id, keepAlive: keepAlive, observer: observer, driver: self)
        eventLoop.assumeIsolated().execute { [self] in
            guard leg.isWaiting else { return }
            legs[id] = leg
            plan.legAsked(id, keepAlive: keepAlive)
            drive()
        }
        return leg
    }

    /// Ends the gateway's sessions and what is under way. All legs are closed or about to be.
    func retire() {
        isShutDown = true
        settings.upstream.unregister(waker)
        plan.shutDown(at: .now())
        drive()
    }

    /// Other settings have come, and another driver makes the connections. The legs here stay until they end; those that
    /// wait for a connection go to that driver.
    func drain() {
        plan.drain(at: .now())
        drive()
    }

    /// A leg that waited at a driver that drains.
    private func takeOver(_ leg: UplinkLeg, keepAlive: Duration?) {
        let id = plan.makeLegID()
        leg.move(to: self, as: id)
        legs[id] = leg
        plan.legAsked(id, keepAlive: keepAlive)
        drive()
    }

    /// Closes what is still there.
    func close() {
        for carrier in retiring { carrier.close() }
        retiring = []
        plan.close()
        drive()
    }

    /// Performs the plan's actions until there are no more.
    private func drive() {
        // This event came from within an action, so the loop below handles what follows from it.
        guard !isDriving else { return }
        isDriving = true
        while let action = plan.nextAction(at: .now(), seeing: self) { perform(action) }
        isDriving = false
        if plan.isDraining, plan.isEmpty, !isShutDown { drained() }
        guard let deadline = plan.deadline else { return timer.cancel() }
        guard timer.deadline != deadline else { return }
        timer.arm(at: deadline) { [weak self] in self?.drive() }
    }
}

// MARK: - Actions

extension UplinkDriver {
    private func perform(_ action: UplinkAction) {
        switch action {
        case .dial(let id, let dial): connections[id] = begin(id, dial)
        case .openStream(let leg, let id, let mayComeBack): openStream(leg, id, mayComeBack: mayComeBack)
        case .close(let id): connections.removeValue(forKey: id)?.close()
        case .retire(let id): retire(id)
        case .hurry(let id): connections[id]?.hurry()
        case .doubt(let id): connections[id]?.doubt(at: .now())
        case .giveUp(let id): connections[id]?.giveUp()
        case .unreachable(let id, let why): legs.removeValue(forKey: id)?.unreachable(why)
        case .handOver(let id, let keepAlive):
            if let leg = legs.removeValue(forKey: id) { owner?.driver(role).takeOver(leg, keepAlive: keepAlive) }
        case .watchPaths: dialer.paths.wake()
        case .report(let news): log(news)
        }
    }

    /// The last leg has left. Nothing refers to this driver any more, except for its owner.
    private func drained() {
        isShutDown = true
        settings.upstream.unregister(waker)
        owner?.drained(self)
    }

    private func begin(_ id: UplinkConnectionID, _ dial: UplinkDial) -> any UplinkCarrier {
        guard case .quic(let index) = dial.way else {
            guard let tlsDialer else { preconditionFailure("TLS is chosen only if there is a fallback") }
            return tlsDialer.dial(id, within: dial.patience, observer: self)
        }
        var early: UplinkLeg?
        var control: GatewayControl?
        switch (dial.aim, role) {
        case (.device(let leg), .devices): early = leg.flatMap { legs[$0] }
        case (.device, .gateway(let version, let identity, let numbers)):
            control = GatewayControl(
                identity: identity, version: version, numbers: numbers, connectTimeout: configuration.connectTimeout,
                eventLoop: eventLoop, logger: logger)
        case (.stock, _), (.probe, _): break
        }
        return dialer.dial(
            id, to: configuration.endpoints[index], within: dial.patience, idleTimeout: dial.idleTimeout,
            observer: self, early: early, control: control)
    }

    private func openStream(_ id: UplinkLegID, _ connection: UplinkConnectionID, mayComeBack: Bool) {
        // The plan has already been told about a leg that has left since.
        guard let leg = legs[id], leg.isWaiting else { return }
        if mayComeBack { leg.mayComeBack() }
        do {
            guard try connections[connection]?.openStream(for: leg) != true else { return }
            plan.streamUnavailable(for: id, at: .now())
        } catch {
            plan.streamFailed(for: id, "\(error)", at: .now())
        }
    }

    private func retire(_ id: UplinkConnectionID) {
        guard let carrier = connections.removeValue(forKey: id) else { return }
        if isShutDown { retiring.append(carrier) }
        carrier.retire()
    }
}

// MARK: - Events of legs

extension UplinkDriver {
    /// Why devices have to wait, if that is known.
    var presentFailure: String? { plan.presentFailure(seeing: self) }

    /// The leg is over.
    func legLeft(_ leg: UplinkLegID) {
        guard legs.removeValue(forKey: leg) != nil else { return }
        plan.legLeft(leg, at: .now())
        drive()
    }

    /// The leg's CONNECT went out as early data, its device has left, and now the handshake has failed, as
    /// ``carrierFailed(_:_:)`` reports next.
    func legEndedWithHandshake(_ leg: UplinkLegID) {
        legs[leg] = nil
        plan.legEndedWithHandshake(leg)
    }

    /// Nothing came on the leg's connection, so the leg has left it and waits again.
    func legCameBack(_ leg: UplinkLegID) {
        plan.legCameBack(leg, at: .now())
        drive()
    }
}

// MARK: - Events of the upstream

extension UplinkDriver: PathAwaiter {
    /// A driver that drains has lost a connection.
    private func predecessorLost(_ end: UplinkConnectionEnd) {
        plan.predecessorLost(end, at: .now())
        drive()
    }

    private func upstreamChanged() {
        plan.upstreamChanged(at: .now())
        drive()
    }

    var awaitsPath: Bool { plan.awaitsPath }

    func pathAnswered(_ endpoint: UplinkEndpoint?) {
        plan.pathAnswered(endpoint.flatMap { configuration.endpoints.firstIndex(of: $0) }, at: .now())
        drive()
    }
}

// MARK: - Events of connections

extension UplinkDriver: UplinkCarrierObserver, UplinkConnectionsView {
    func facts(of connection: UplinkConnectionID) -> UplinkConnectionFacts {
        connections[connection]?.facts ?? UplinkConnectionFacts(availableStreams: 0, isSilent: false)
    }

    func carrierReady(_ carrier: any UplinkCarrier, _ readiness: UplinkReadiness) {
        handshakes.count(HandshakeOutcome.succeeded)
        plan.connectionReady(carrier.id, readiness, at: .now())
        drive()
    }

    func carrierFailed(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd) {
        connections[carrier.id] = nil
        handshakes.count(HandshakeOutcome(end.failure))
        plan.connectionFailed(carrier.id, end, at: .now())
        drive()
    }

    func carrierLost(_ carrier: any UplinkCarrier, _ end: UplinkConnectionEnd, wasSilent: Bool) {
        connections[carrier.id] = nil
        if plan.isDraining { owner?.driver(role).predecessorLost(end) }
        plan.connectionLost(carrier.id, end, wasSilent: wasSilent, at: .now())
        drive()
    }

    func carrierIsSentElsewhere(_ carrier: any UplinkCarrier) {
        // It is looked up in the settings in force, which may lack that endpoint, or have it in another place.
        let present = shared.generation.uplink
        let index = carrier.endpointOverQUIC.flatMap { present.configuration.uplink.endpoints.firstIndex(of: $0) }
        if let index { present.upstream.left(.quic(index), at: .now()) }
    }

    func carrierEnded(_ carrier: any UplinkCarrier) {
        connections[carrier.id] = nil
        plan.connectionEnded(carrier.id)
        drive()
    }

    func carrierSendsEarly(_ leg: UplinkLeg) {
        if let id = leg.id { plan.legSentEarly(id) }
    }

    func carrierHasRoom(_ carrier: any UplinkCarrier) {
        plan.connectionHasRoom(carrier.id)
        drive()
    }

    func carrierStaysSilent(_ carrier: any UplinkCarrier, since: NIODeadline, at now: NIODeadline) {
        plan.connectionStaysSilent(carrier.id, since: since, at: now)
        drive()
    }

    func carrierFellSilent(_ carrier: any UplinkCarrier) {
        plan.connectionFellSilent(carrier.id)
        drive()
    }
}
