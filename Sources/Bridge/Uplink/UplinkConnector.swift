import BridgeCore
import DequeModule
import Logging
import MQTTCodec
import NIOCore
import QUICTransport

/// Whom a leg tells that it is no longer wanted.
protocol UplinkLegOwner: AnyObject {
    /// What went wrong last, while nothing has gone right since.
    var presentFailure: String? { get }
    /// The device left before the leg was open.
    func abandoned(_ leg: UplinkLeg)
}

/// Gives the devices of one event loop their streams: on connections that they share (`mux`, `data-stream`), or on one
/// for each.
///
/// Devices wait in one line, in the order in which they came. The first of it goes as soon as there is room on a shared
/// connection, or a connection may be made: after a failure the ``ReconnectGate`` lets one at a time try, and after a
/// loss the ``ReconnectPacer`` keeps those that come back at a steady pace. A device waits for at most
/// `uplink.connect_timeout`, which its session sees to.
final class UplinkConnector {
    /// What its connections are.
    enum Role {
        /// The devices' own sessions, one a connection or one a stream.
        case devices
        /// Sessions of the gateway, of that version, whose data streams the devices get.
        case gateway(MQTTVersion, GatewayIdentity, GatewayNumbers)
    }

    /// What the server made of the offer to share connections.
    private enum Sharing {
        case unknown
        case offered
        case refused
    }

    /// A connection being made.
    private struct Dial {
        let connection: UplinkConnection
        /// Who waits for it; nil where it is made in advance, or its device has left.
        var leg: UplinkLeg?
        /// Of the device.
        let keepAlive: Duration?
    }

    private enum Step {
        case attach(UplinkConnection)
        /// One for this device alone that was made ahead of time.
        case take(UplinkConnection)
        case dial
        case wait(until: NIODeadline?)
    }

    /// At once, where many devices come together.
    private static let parallelDials = 8

    private let role: Role
    private let configuration: UplinkConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let carriage: ChosenCarriage
    private let dialer: UplinkDialer
    /// Made ahead of time; nil where a connection is something that the broker shows.
    private var warm: WarmConnections?
    private let warmShares: WarmShares
    private var gate: ReconnectGate
    private var pacer: ReconnectPacer
    private var shared: SharedConnections
    private var sharing: Sharing
    private var dials: [ObjectIdentifier: Dial] = [:]
    /// On connections of their own, where the broker is verified and allows no stream yet.
    private var awaitingStream: [ObjectIdentifier: Dial] = [:]
    /// Bounded by `limits.devices`: one entry a device.
    private var waiters: Deque<(leg: UplinkLeg, keepAlive: Duration?)> = []
    private var isAdvancing = false
    private var retry: (deadline: NIODeadline, task: Scheduled<Void>)?
    private var lastFailure: String?
    /// A connection was lost or could not be made, and none has been made since.
    private var isDisturbed = false
    private var isShutDown = false

    init(_ role: Role, shared state: SharedState, dialer: UplinkDialer, eventLoop: any EventLoop) {
        let configuration = state.configuration.uplink
        self.role = role
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = state.logger
        self.carriage = state.carriage
        self.dialer = dialer
        self.gate = ReconnectGate(minimum: configuration.backoffMinimum, maximum: configuration.backoffMaximum)
        // The operator's figure is for the whole process.
        self.pacer = ReconnectPacer(
            perSecond: Double(configuration.reconnectsPerSecond) / Double(state.configuration.threads))
        self.warmShares = state.warmShares
        var warmShare = 0
        switch role {
        case .devices:
            warmShare = configuration.mapping == .dataStream ? 0 : warmShares.take()
            shared = SharedConnections(
                devicesPerConnection: configuration.devicesPerConnection, keepsOne: warmShare > 0)
        case .gateway:
            shared = SharedConnections(devicesPerConnection: .max, usualCapacity: Self.usualDataStreams)
        }
        self.sharing =
            switch configuration.mapping {
            case .auto: .unknown
            case .mux, .dataStream: .offered
            case .connection: .refused
            }
        dialer.paths.add(self)
        guard warmShare > 0 else { return }
        warm = WarmConnections(
            share: warmShare, configuration: configuration, dialer: dialer, logger: logger, owner: self)
        eventLoop.assumeIsolated().execute { [weak self] in self?.warm?.fill() }
    }

    /// Ten streams a connection, of which one is the gateway's: EMQX without configuration.
    private static let usualDataStreams = 9

    /// Starts a leg; the outcome goes to its observer, never from within this call.
    func connect(keepAlive: Duration?, observer: any UplinkLegObserver) -> UplinkLeg {
        let leg = UplinkLeg(observer: observer, owner: self)
        eventLoop.assumeIsolated().execute { [self] in
            guard leg.isWaiting else { return }
            waiters.append((leg, keepAlive))
            advance()
        }
        return leg
    }

    /// All legs are closed or about to be: ends the sessions of the gateway, and what is on its way.
    func retire() {
        isShutDown = true
        retry?.task.cancel()
        warm?.close()
        for dial in dials.values { dial.connection.close() }
        for connection in shared.all { connection.retire() }
    }

    func close() {
        for connection in shared.all { connection.close() }
    }
}

// MARK: - The line

extension UplinkConnector {
    /// Lets devices go for as long as the first in the line can.
    private func advance() {
        guard !isAdvancing, !isShutDown else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while let (leg, keepAlive) = waiters.first {
            guard leg.isWaiting else {
                waiters.removeFirst()
                continue
            }
            switch nextStep(keepAlive) {
            case .attach(let connection):
                waiters.removeFirst()
                pacer.took()
                guard attach(leg, to: connection) else {
                    // It says that it has room when it has: `connectionHasRoom`.
                    waiters.prepend((leg, keepAlive))
                    return
                }
            case .take(let connection):
                waiters.removeFirst()
                pacer.took()
                serve(Dial(connection: connection, leg: leg, keepAlive: keepAlive))
            case .dial:
                waiters.removeFirst()
                pacer.took()
                dial(for: leg, keepAlive: keepAlive)
            case .wait(let until):
                if let until { advance(at: until) }
                return
            }
        }
        prepareNextConnection()
    }

    private func nextStep(_ keepAlive: Duration?) -> Step {
        let now = NIODeadline.now()
        if let until = pacer.next(at: now) { return .wait(until: until) }
        switch sharing {
        case .offered:
            if let connection = shared.withRoom { return .attach(connection) }
            let wanted = waiters.count / shared.capacity + 1
            guard !shared.awaitsFirstStream, dialCount < min(wanted, Self.parallelDials) else {
                return .wait(until: nil)
            }
        case .unknown:
            guard dialCount == 0 else { return .wait(until: nil) }
        case .refused:
            if let connection = warm?.take(for: keepAlive, owner: self) { return .take(connection) }
        }
        switch gate.request(at: now) {
        case .go: return .dial
        case .wait(let until):
            dialer.paths.wake()
            return .wait(until: until)
        case .waitForProbe:
            return .wait(until: nil)
        }
    }

    /// On their way, for a device or ahead of time.
    private var dialCount: Int { dials.count + (warm?.isDialing == true ? 1 : 0) }

    private func advance(at deadline: NIODeadline) {
        if let retry, retry.deadline <= deadline { return }
        retry?.task.cancel()
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] () -> Void in
            self?.retry = nil
            self?.advance()
        }
        retry = (deadline, task)
    }

    /// False where the connection has no room after all.
    private func attach(_ leg: UplinkLeg, to connection: UplinkConnection) -> Bool {
        do {
            return try connection.openStream(for: leg)
        } catch {
            leg.unreachable("\(error)")
            return true
        }
    }

    private func dial(for leg: UplinkLeg?, keepAlive: Duration?) {
        let connection: UplinkConnection
        switch role {
        case .devices:
            // One that may be shared is not to be thought alive for as long as its first device is patient.
            connection = dialer.dial(
                to: configuration.endpoints[0], within: configuration.handshakeTimeout,
                keepAlive: sharing == .refused ? keepAlive : nil, owner: self, early: leg)
        case .gateway(let version, let identity, let numbers):
            let control = GatewayControl(
                identity: identity, version: version, numbers: numbers, connectTimeout: configuration.connectTimeout,
                eventLoop: eventLoop, logger: logger)
            connection = dialer.dial(
                to: configuration.endpoints[0], within: configuration.handshakeTimeout, keepAlive: nil, owner: self,
                control: control)
        }
        dials[ObjectIdentifier(connection)] = Dial(connection: connection, leg: leg, keepAlive: keepAlive)
        if isDisturbed { dialer.paths.wake() }
    }

    /// Has the next shared connection ready before the present ones are full.
    private func prepareNextConnection() {
        // A session of the gateway is something that the broker shows: none is made for nobody.
        guard case .devices = role, !shared.isEmpty, shared.isNearlyFull, dialCount == 0, !shared.awaitsFirstStream
        else {
            warm?.fill()
            return
        }
        guard case .go = gate.request(at: .now()) else { return }
        dial(for: nil, keepAlive: nil)
    }
}

// MARK: - Connections

extension UplinkConnector: UplinkConnectionOwner {
    func connectionReady(_ connection: UplinkConnection) {
        guard let dial = dials.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        reached(connection)
        warm?.serverAnswered()
        serve(dial)
        closeLater(connection)
        advance()
    }

    /// The uplink works.
    private func reached(_ connection: UplinkConnection) {
        if let failure = lastFailure {
            logger.notice("the broker can be reached again", metadata: ["leg": "uplink", "before": "\(failure)"])
            lastFailure = nil
        }
        gate.succeeded()
        isDisturbed = false
        chosen(connection.isShared ? .offered : .refused, connection)
        if connection.isShared { shared.add(connection) }
    }

    /// The server's choice is worth a line the first time, and when it changes.
    private func chosen(_ choice: Sharing, _ connection: UplinkConnection) {
        guard configuration.mapping == .auto, sharing != choice else { return }
        sharing = choice
        guard carriage.changes(toShared: choice == .offered) else { return }
        logger.info(
            "the broker has chosen how devices are carried",
            metadata: [
                "alpn": "\(connection.alpn ?? "")", "mapping": choice == .offered ? "mux" : "connection",
                "leg": "uplink",
            ])
    }

    /// Gives the leg that waited for this connection its stream.
    private func serve(_ dial: Dial) {
        // It has it already where its CONNECT went out early.
        guard dial.connection.legCount == 0 else { return }
        guard let leg = dial.leg, leg.isWaiting else {
            // Made for a device that is gone: without others to carry it is of no use.
            if !dial.connection.isShared { dial.connection.close() }
            return
        }
        do {
            if try dial.connection.openStream(for: leg) { return }
            if dial.connection.isShared {
                waiters.prepend((leg, dial.keepAlive))
            } else {
                awaitingStream[ObjectIdentifier(dial.connection)] = dial
            }
        } catch {
            dial.connection.close()
            leg.unreachable("\(error)")
        }
    }

    func connectionFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        guard let dial = dials.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        note(end)
        isDisturbed = true
        let now = NIODeadline.now()
        gate.failed(at: now, jitter: .random(in: 0...1), atLeast: end.pause)
        if shared.isEmpty {
            pacer.disturbed(at: now)
            dial.leg?.unreachable(end.why)
        } else if let leg = dial.leg, leg.isWaiting {
            // The connections that there are may get room while it waits.
            waiters.prepend((leg, dial.keepAlive))
        }
        advance()
    }

    private func note(_ end: UplinkConnectionEnd) {
        if lastFailure == nil, !end.isLogged {
            logger.warning(
                shared.isEmpty ? "the broker cannot be reached" : "the broker takes no further connection",
                metadata: ["leg": "uplink", "error": "\(end.why)"])
        }
        lastFailure = end.why
    }

    func connectionHasRoom(_ connection: UplinkConnection) {
        if let dial = awaitingStream.removeValue(forKey: ObjectIdentifier(connection)) { serve(dial) }
        closeLater(connection)
        if !waiters.isEmpty { advance() }
    }

    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        let now = NIODeadline.now()
        isDisturbed = true
        if end.isBrokerBusy || end.pause > .zero {
            gate.failed(at: now, jitter: .random(in: 0...1), atLeast: end.pause)
        }
        if let dial = awaitingStream.removeValue(forKey: ObjectIdentifier(connection)) {
            dial.leg?.unreachable(end.why)
        }
        guard shared.remove(connection) else { return }
        pacer.disturbed(at: now)
        // What kept a further one from being made is not what is wrong now.
        if shared.isEmpty { lastFailure = nil }
        if !end.isLogged {
            logger.log(
                level: connection.legCount > 0 ? .warning : .debug, "a shared connection to the broker was lost",
                metadata: ["devices": "\(connection.legCount)", "error": "\(end.why)", "leg": "uplink"])
        }
        advance()
    }

    func connectionAbandoned(_ connection: UplinkConnection) {
        guard dials.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        gate.abandoned(at: .now())
        advance()
    }

    /// A shared connection that carries nobody for as long as `uplink.idle_timeout` is closed.
    private func closeLater(_ connection: UplinkConnection, from start: NIODeadline? = nil) {
        guard connection.isShared, connection.legCount == 0, !connection.isClosingScheduled else { return }
        connection.isClosingScheduled = true
        let patience = TimeAmount(configuration.idleTimeout)
        let deadline = (start ?? connection.emptySince) + patience
        eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self, weak connection] () -> Void in
            guard let self, let connection else { return }
            connection.isClosingScheduled = false
            let now = NIODeadline.now()
            // It has carried somebody meanwhile.
            guard connection.emptySince + patience <= now else { return closeLater(connection) }
            guard shared.isSuperfluous(connection) else { return closeLater(connection, from: now) }
            if shared.remove(connection) { connection.retire() }
        }
    }
}

// MARK: - The path

extension UplinkConnector: PathAwaiter {
    var awaitsPath: Bool {
        isDisturbed && !isShutDown && !(waiters.isEmpty && dials.isEmpty)
    }

    func pathAnswered() {
        let now = NIODeadline.now()
        gate.pathAnswered(at: now)
        // All that were held for want of a path come now.
        pacer.disturbed(at: now)
        for dial in dials.values { dial.connection.hurry() }
        advance()
    }
}

extension UplinkConnector: WarmConnectionsOwner {
    var warmEndpoint: UplinkEndpoint? { configuration.endpoints[0] }

    func warmTarget(share: Int) -> Int {
        switch sharing {
        // One finds out.
        case .unknown: 1
        // A device that is on its way sees to it itself.
        case .offered: shared.isEmpty && dials.isEmpty && waiters.isEmpty ? 1 : 0
        case .refused: share
        }
    }

    func keepsWarm(_ connection: UplinkConnection) -> Bool {
        reached(connection)
        if warmShares.isFirst() { logger.info("the broker can be reached", metadata: ["leg": "uplink"]) }
        guard connection.isShared else { return true }
        connection.owner = self
        closeLater(connection)
        advance()
        return false
    }

    func warmChanged() {
        advance()
    }

    /// Devices try all the same, and wait no longer for it.
    func warmingFailed(_ end: UplinkConnectionEnd) {
        note(end)
        advance()
    }
}

// MARK: - Legs

extension UplinkConnector: UplinkLegOwner {
    var presentFailure: String? {
        lastFailure ?? (shared.awaitsFirstStream ? "the broker allows no stream for devices on a connection" : nil)
    }

    func abandoned(_ leg: UplinkLeg) {
        if let index = waiters.firstIndex(where: { $0.leg === leg }) {
            waiters.remove(at: index)
        } else if let (key, dial) = awaitingStream.first(where: { $0.value.leg === leg }) {
            awaitingStream[key] = nil
            dial.connection.close()
        } else if let (key, dial) = dials.first(where: { $0.value.leg === leg }) {
            abandoned(dial, key)
        }
        advance()
    }

    /// Others may be glad of a connection that its device has no more use for.
    private func abandoned(_ dial: Dial, _ key: ObjectIdentifier) {
        guard sharing == .refused || waiters.isEmpty else {
            dials[key]?.leg = nil
            return
        }
        dials[key] = nil
        dial.connection.close()
        gate.abandoned(at: .now())
    }
}
