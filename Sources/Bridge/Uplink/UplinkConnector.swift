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
    /// The leg waits again: a connection made ahead of time has broken before anything came back on it.
    func cameBack(_ leg: UplinkLeg, keepAlive: Duration?)
}

/// Gives the devices of one event loop their streams: on connections that they share (`mux`, `data-stream`), or on one
/// for each.
///
/// Devices wait in one line, in the order in which they came. The first of it goes as soon as there is room on a shared
/// connection, or a connection may be made, which ``Upstream`` decides for all event loops together: over which way, one
/// alone after a failure, and at a steady pace after a loss. A device waits for at most
/// ``UplinkConfiguration/sessionTimeout``, which its session sees to.
///
/// CONNECT is never on two ways: a leg goes another way only while it has no stream, and what was made for it the other
/// way is closed then.
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
        /// Nil where its outcome is known.
        let attempt: Upstream.Attempt?
    }

    private enum Step {
        case attach(UplinkConnection)
        /// One for this device alone that was made ahead of time.
        case take(UplinkConnection)
        case dial(Upstream.Attempt)
        case wait(until: NIODeadline?)
    }

    /// At once, where many devices come together.
    private static let parallelDials = 8

    private let role: Role
    let configuration: UplinkConfiguration
    let eventLoop: any EventLoop
    private let logger: Logger
    private let carriage: ChosenCarriage
    let dialer: UplinkDialer
    /// Made ahead of time; nil where a connection is something that the broker shows.
    private var warm: WarmConnections?
    private let warmShares: WarmShares
    let upstream: Upstream
    let line: Upstream.Line
    /// Of this in ``upstream``.
    private var waker = 0
    private var shared: SharedConnections
    /// Shared ones to an endpoint that is not the best any more: they carry whom they carry, and nobody else.
    private var leaving: [UplinkConnection] = []
    private var sharing: Sharing
    private var dials: [ObjectIdentifier: Dial] = [:]
    /// On connections of their own, where the broker is verified and allows no stream yet.
    private var awaitingStream: [ObjectIdentifier: Dial] = [:]
    /// Bounded by `limits.devices`: one entry a device.
    private var waiters: Deque<(leg: UplinkLeg, keepAlive: Duration?)> = []
    private var isAdvancing = false
    private var retry: (deadline: NIODeadline, task: Scheduled<Void>)?
    /// A connection was lost or could not be made, and none has been made since.
    var isDisturbed = false
    private(set) var isShutDown = false
    /// For the fallback; nil where there is none.
    let tlsDialer: TLSUplinkDialer?
    var tlsDials: [ObjectIdentifier: TLSDial] = [:]
    /// Those that carry a device.
    var tlsConnections: [ObjectIdentifier: TLSUplinkConnection] = [:]
    /// Where it is up to this event loop to try better ways.
    var prober: CandidateProber?
    private var knownWay: CandidateChoice.Candidate

    init(_ role: Role, shared state: SharedState, dialer: UplinkDialer, eventLoop: any EventLoop) {
        let configuration = state.configuration.uplink
        self.role = role
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = state.logger
        self.carriage = state.carriage
        self.dialer = dialer
        self.upstream = state.upstream
        self.knownWay = state.upstream.chosen
        self.tlsDialer = state.fallback.map { TLSUplinkDialer($0, state.configuration, on: eventLoop) }
        self.warmShares = state.warmShares
        var warmShare = 0
        switch role {
        case .devices:
            line = .devices
            warmShare = configuration.mapping == .dataStream ? 0 : warmShares.take()
            shared = SharedConnections(
                devicesPerConnection: configuration.devicesPerConnection, keepsOne: warmShare > 0)
        case .gateway(let version, _, _):
            line = .gateway(version)
            shared = SharedConnections(devicesPerConnection: .max, usualCapacity: Self.usualDataStreams)
        }
        self.sharing =
            switch configuration.mapping {
            case .auto: .unknown
            case .mux, .dataStream: .offered
            case .connection: .refused
            }
        dialer.paths.add(self)
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        self.waker = upstream.register { eventLoop.execute { this.value.upstreamChanged() } }
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
        upstream.unregister(waker)
        retry?.task.cancel()
        prober?.stop()
        prober = nil
        warm?.close()
        for dial in dials.values { dial.connection.close() }
        for dial in tlsDials.values { dial.connection.close() }
        for connection in shared.all + leaving { connection.retire() }
    }

    func close() {
        for connection in shared.all + leaving { connection.close() }
        for connection in tlsConnections.values { connection.close() }
    }
}

// MARK: - The line

extension UplinkConnector {
    /// Lets devices go for as long as the first in the line can.
    func advance() {
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
                // Nobody has had an answer on it lately. (In a session of the gateway more than CONNECT may be under way.)
                if case .devices = role, connection.legCount == 0 { leg.mayComeBack(keepAlive: keepAlive) }
                guard attach(leg, to: connection) else {
                    // It says that it has room when it has: `connectionHasRoom`.
                    waiters.prepend((leg, keepAlive))
                    return
                }
            case .take(let connection):
                waiters.removeFirst()
                leg.mayComeBack(keepAlive: keepAlive)
                serve(Dial(connection: connection, leg: leg, keepAlive: keepAlive, attempt: nil))
            case .dial(let attempt):
                waiters.removeFirst()
                dial(for: leg, keepAlive: keepAlive, attempt)
            case .wait(let until):
                if let until { advance(at: until) }
                return
            }
        }
        prepareNextConnection()
    }

    private func nextStep(_ keepAlive: Duration?) -> Step {
        let now = NIODeadline.now()
        if sharing == .offered, let connection = shared.withRoom {
            return upstream.admit(at: now).map { .wait(until: $0) } ?? .attach(connection)
        }
        if sharing == .refused, let warm, warm.hasOne(for: keepAlive) {
            if let until = upstream.admit(at: now) { return .wait(until: until) }
            if let connection = warm.take(for: keepAlive, owner: self) { return .take(connection) }
        }
        guard takesAnotherDial else { return .wait(until: nil) }
        return switch upstream.mayDial(line, for: waker, at: now) {
        case .go(let attempt): .dial(attempt)
        case .wait(let until): wait(until: until)
        }
    }

    /// Whoever waits because of a loss is to hear of the broker's return.
    private func wait(until: NIODeadline?) -> Step {
        if isDisturbed { dialer.paths.wake() }
        return .wait(until: until)
    }

    /// Whether another connection, besides those on their way, would be of use to the first in the line.
    private var takesAnotherDial: Bool {
        // What is on its way over QUIC is of no use to those who go by TLS, each on one of its own.
        guard upstream.chosen != .tls else { return true }
        return switch sharing {
        case .offered:
            !shared.awaitsFirstStream
                && dialCount < min(waiters.count / shared.capacity + 1, Self.parallelDials)
        case .unknown: dialCount == 0
        case .refused: true
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

    private func dial(for leg: UplinkLeg?, keepAlive: Duration?, _ attempt: Upstream.Attempt) {
        guard case .quic(let index) = attempt.candidate else {
            return dialTLS(for: leg, keepAlive: keepAlive, attempt)
        }
        let endpoint = configuration.endpoints[index]
        let patience = configuration.handshakeTimeout
        let connection: UplinkConnection
        switch role {
        case .devices:
            // One that may be shared is not to be thought alive for as long as its first device is patient.
            connection = dialer.dial(
                to: endpoint, within: patience, keepAlive: sharing == .refused ? keepAlive : nil, owner: self,
                early: leg)
        case .gateway(let version, let identity, let numbers):
            let control = GatewayControl(
                identity: identity, version: version, numbers: numbers, connectTimeout: configuration.connectTimeout,
                eventLoop: eventLoop, logger: logger)
            connection = dialer.dial(to: endpoint, within: patience, keepAlive: nil, owner: self, control: control)
        }
        dials[ObjectIdentifier(connection)] = Dial(
            connection: connection, leg: leg, keepAlive: keepAlive, attempt: attempt)
        if isDisturbed { dialer.paths.wake() }
    }

    /// Has the next shared connection ready before the present ones are full.
    private func prepareNextConnection() {
        // A session of the gateway is something that the broker shows: none is made for nobody.
        guard case .devices = role, !shared.isEmpty, shared.isNearlyFull, dialCount == 0, !shared.awaitsFirstStream,
            upstream.chosen != .tls
        else {
            warm?.fill()
            return
        }
        guard case .go(let attempt) = upstream.mayDial(line, for: waker, at: .now()) else { return }
        dial(for: nil, keepAlive: nil, attempt)
    }

    /// Back to where it was, at the head of the line.
    func requeue(_ leg: UplinkLeg?, keepAlive: Duration?) {
        if let leg, leg.isWaiting { waiters.prepend((leg, keepAlive)) }
    }
}

// MARK: - Ways

extension UplinkConnector {
    /// What was waited for may have come, or another way is taken.
    private func upstreamChanged() {
        guard !isShutDown else { return }
        let way = upstream.chosen
        if way != knownWay {
            let isBetter = upstream.isBetter(way, than: knownWay)
            knownWay = way
            if isBetter {
                leaveLesser(way)
                abandonTLSDials()
            } else {
                abandonDials(for: way)
            }
        }
        probeBetterWays()
        warm?.fill()
        advance()
    }

    /// The way in use has failed: nobody waits any longer for what is on its way there.
    private func abandonDials(for way: CandidateChoice.Candidate) {
        for (key, dial) in dials {
            guard let attempt = dial.attempt, upstream.isBetter(attempt.candidate, than: way) else { continue }
            // With its CONNECT on the way already, it has to wait for what becomes of that.
            if let leg = dial.leg, !leg.isWaiting { continue }
            dials[key] = nil
            dial.connection.close()
            upstream.abandoned(attempt)
            requeue(dial.leg, keepAlive: dial.keepAlive)
        }
    }

    /// A better way works: shared connections elsewhere keep their devices, and get no more.
    private func leaveLesser(_ way: CandidateChoice.Candidate) {
        guard case .quic(let index) = way else { return }
        for connection in shared.all where connection.endpoint != configuration.endpoints[index] {
            _ = shared.remove(connection)
            if connection.legCount == 0 { connection.retire() } else { leaving.append(connection) }
        }
    }

    /// A connection stands.
    func reached(_ attempt: Upstream.Attempt?) {
        if let attempt { upstream.succeeded(attempt) }
        probeBetterWays()
    }

    /// Where that is to be done and nobody does it yet.
    private func probeBetterWays() {
        if prober == nil, upstream.claimsProber() {
            prober = CandidateProber(upstream, dialer: dialer, configuration: configuration, on: eventLoop)
        }
        if prober?.update() == true { prober = nil }
    }
}

// MARK: - Connections

extension UplinkConnector: UplinkConnectionOwner {
    func connectionReady(_ connection: UplinkConnection) {
        guard let dial = dials.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        reached(dial.attempt)
        warm?.serverAnswered()
        joined(connection)
        serve(dial)
        closeLater(connection)
        advance()
    }

    /// The server has chosen what it is for.
    private func joined(_ connection: UplinkConnection) {
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
        isDisturbed = true
        var end = end
        if end.isBrokerBusy { end.failure = .refused }
        guard let attempt = dial.attempt else { preconditionFailure("what is being made has no outcome yet") }
        failed(attempt, end, dial.leg, keepAlive: dial.keepAlive)
    }

    func failed(_ attempt: Upstream.Attempt, _ end: UplinkConnectionEnd, _ leg: UplinkLeg?, keepAlive: Duration?) {
        switch upstream.failed(attempt, end, hasOthers: !shared.isEmpty) {
        case .again, .next, .stale:
            requeue(leg, keepAlive: keepAlive)
        case .exhausted where shared.isEmpty:
            upstream.disturbed()
            leg?.unreachable(upstream.failure(line) ?? end.why)
        case .exhausted:
            // The connections that there are may get room while it waits.
            requeue(leg, keepAlive: keepAlive)
        }
        advance()
    }

    func connectionHasRoom(_ connection: UplinkConnection) {
        if let dial = awaitingStream.removeValue(forKey: ObjectIdentifier(connection)) { serve(dial) }
        if let index = leaving.firstIndex(where: { $0 === connection }) {
            guard connection.legCount == 0 else { return }
            leaving.remove(at: index)
            return connection.retire()
        }
        closeLater(connection)
        if !waiters.isEmpty { advance() }
    }

    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        isDisturbed = true
        if end.isBrokerBusy || end.pause > .zero {
            upstream.mustPause(line, atLeast: end.pause)
        } else if end.failure != nil {
            upstream.lost(line)
        }
        if let dial = awaitingStream.removeValue(forKey: ObjectIdentifier(connection)) {
            dial.leg?.unreachable(end.why)
        }
        let wasLeaving = leaving.contains { $0 === connection }
        leaving.removeAll { $0 === connection }
        guard shared.remove(connection) || wasLeaving else { return }
        upstream.disturbed()
        // What kept a further one from being made is not what is wrong now.
        if shared.isEmpty { upstream.forgetFailure(line) }
        if !end.isLogged {
            logger.log(
                level: connection.legCount > 0 ? .warning : .debug, "a shared connection to the broker was lost",
                metadata: ["devices": "\(connection.legCount)", "error": "\(end.why)", "leg": "uplink"])
        }
        advance()
    }

    func connectionAbandoned(_ connection: UplinkConnection) {
        guard let dial = dials.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        if let attempt = dial.attempt { upstream.abandoned(attempt) }
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
        isDisturbed && !isShutDown && !(waiters.isEmpty && dials.isEmpty && tlsDials.isEmpty)
    }

    func pathAnswered(_ endpoint: UplinkEndpoint?) {
        upstream.pathAnswered(endpoint: endpoint)
        warm?.serverAnswered()
        for dial in dials.values { dial.connection.hurry() }
        advance()
    }
}

extension UplinkConnector: WarmConnectionsOwner {
    var warmEndpoint: UplinkEndpoint? {
        if case .quic(let index) = upstream.chosen { configuration.endpoints[index] } else { nil }
    }

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
        reached(upstream.attemptAhead(to: connection.endpoint, line, startedAt: connection.emptySince))
        joined(connection)
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
    func warmingFailed(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        let attempt = upstream.attemptAhead(to: connection.endpoint, line, startedAt: connection.emptySince)
        _ = attempt.map { upstream.failed($0, end, hasOthers: !shared.isEmpty) }
        advance()
    }
}

// MARK: - Legs

extension UplinkConnector: UplinkLegOwner {
    var presentFailure: String? {
        upstream.failure(line)
            ?? (shared.awaitsFirstStream ? "the broker allows no stream for devices on a connection" : nil)
    }

    func abandoned(_ leg: UplinkLeg) {
        if let index = waiters.firstIndex(where: { $0.leg === leg }) {
            waiters.remove(at: index)
        } else if let (key, dial) = awaitingStream.first(where: { $0.value.leg === leg }) {
            awaitingStream[key] = nil
            dial.connection.close()
        } else if let (key, dial) = dials.first(where: { $0.value.leg === leg }) {
            abandoned(dial, key)
        } else {
            abandonedTLS(leg)
        }
        advance()
    }

    func cameBack(_ leg: UplinkLeg, keepAlive: Duration?) {
        logger.debug("a connection made ahead of time was of no use", metadata: ["leg": "uplink"])
        warm?.distrust()
        waiters.prepend((leg, keepAlive))
        advance()
    }

    /// Others may be glad of a connection that its device has no more use for.
    private func abandoned(_ dial: Dial, _ key: ObjectIdentifier) {
        guard sharing == .refused || waiters.isEmpty else {
            dials[key]?.leg = nil
            return
        }
        // Devices with less patience than a handshake come and go, and yet somebody has to find out that it fails.
        guard !configuration.hasAlternatives || dials.values.contains(where: { $0.leg == nil }) else {
            dials[key]?.leg = nil
            return
        }
        dials[key] = nil
        dial.connection.close()
        if let attempt = dial.attempt { upstream.abandoned(attempt) }
    }
}
