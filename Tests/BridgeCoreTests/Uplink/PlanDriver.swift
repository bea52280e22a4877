import NIOCore

@testable import BridgeCore

/// Performs a plan's actions on simulated connections that do what the test says. Legs have names, and connections are
/// numbered in the order in which they were begun.
final class PlanDriver: UplinkConnectionsView {
    final class Connection {
        let id: UplinkConnectionID
        let number: Int
        let dial: UplinkDial
        var isReady = false
        var isShared = false
        var isSilent = false
        /// The number of streams that the broker allows in all.
        var streams = 0
        /// Whether it has no stream although it seems to have room.
        var refusesStreams = false
        var legs: Set<UplinkLegID> = []
        /// Legs whose CONNECT went out on it.
        var carried: Set<UplinkLegID> = []
        /// Legs that send their CONNECT again elsewhere if this connection is dead.
        var mayComeBack: Set<UplinkLegID> = []

        init(_ id: UplinkConnectionID, _ number: Int, _ dial: UplinkDial) {
            self.id = id
            self.number = number
            self.dial = dial
        }
    }

    var plan: UplinkPlan
    unowned let world: PlanWorld
    let waker: Int
    var connections: [UplinkConnectionID: Connection] = [:]
    var lastNumber = 0
    private(set) var legs: [String: UplinkLegID] = [:]
    var names: [UplinkLegID: String] = [:]
    /// Actions that ``did`` has not returned yet.
    var log: [String] = []
    /// How often the plan wanted the broker's addresses probed.
    var watches = 0
    var faults: [String] = []
    /// The driver that gets the legs that wait once this plan drains.
    var successor: PlanDriver?
    private(set) var isRunning = false
    /// Called after each action, so that something can happen before the next one.
    var interruption: (() -> Void)?

    init(_ plan: UplinkPlan, in world: PlanWorld, waker: Int) {
        self.plan = plan
        self.world = world
        self.waker = waker
    }

    /// The actions since the last look.
    var did: [String] {
        defer { log = [] }
        return log
    }

    func facts(of id: UplinkConnectionID) -> UplinkConnectionFacts {
        guard let connection = connections[id] else {
            faults.append("the plan asks about connection \(id.rawValue), which is over")
            return UplinkConnectionFacts(availableStreams: 0, isSilent: false)
        }
        return UplinkConnectionFacts(
            availableStreams: connection.isReady ? max(connection.streams - connection.legs.count, 0) : 0,
            isSilent: connection.isSilent)
    }
}

// MARK: - What happens

extension PlanDriver {
    /// Tells the plan about an event, and performs what follows.
    func event(_ tell: (inout UplinkPlan) -> Void) {
        let bound = workBound
        tell(&plan)
        // If this event came during another one, the loop there performs what follows.
        guard !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        var count = 0
        while let action = plan.nextAction(at: world.now, seeing: self) {
            count += 1
            guard count <= bound else {
                faults.append("more than \(bound) actions for one event")
                return
            }
            perform(action)
            interruption?()
        }
    }

    /// One event concerns each leg and each connection at most once, and each of these leads to a few actions.
    private var workBound: Int { 16 + 4 * (plan.legs.count + plan.connections.count) }

    private func tell(_ event: (inout UplinkPlan) -> Void) {
        self.event(event)
        world.wake()
    }

    /// A device wants a leg.
    @discardableResult
    func ask(_ name: String, keepAlive: Duration? = .seconds(60)) -> UplinkLegID {
        let leg = plan.makeLegID()
        legs[name] = leg
        names[leg] = name
        tell { $0.legAsked(leg, keepAlive: keepAlive) }
        return leg
    }

    func ask(all names: String...) {
        for name in names { ask(name) }
    }

    /// The leg leaves, whatever its place, and its stream with it.
    func leave(_ name: String) {
        guard let leg = legs[name] else { return }
        vacate(leg)
        forget(leg)
        tell { $0.legLeft(leg, at: self.world.now) }
    }

    /// The leg's connection was dead, so the leg leaves its stream and sends its CONNECT elsewhere.
    func comeBack(_ name: String) {
        guard let leg = legs[name] else { return }
        vacate(leg)
        tell { $0.legCameBack(leg, at: self.world.now) }
    }

    /// The connection cannot open a stream for the leg at all.
    func failStream(_ name: String, _ why: String) {
        guard let leg = legs[name] else { return }
        vacate(leg)
        tell { $0.streamFailed(for: leg, why, at: self.world.now) }
    }

    private func vacate(_ leg: UplinkLegID) {
        for connection in connections.values {
            connection.legs.remove(leg)
            connection.carried.remove(leg)
            connection.mayComeBack.remove(leg)
        }
    }

    func forget(_ leg: UplinkLegID) {
        guard let name = names.removeValue(forKey: leg) else { return }
        legs[name] = nil
    }

    func connection(_ number: Int) -> Connection? { connections.values.first { $0.number == number } }

    /// The CONNECT of the device that the connection is made for goes out with the handshake.
    func sendEarly(on number: Int) {
        guard let connection = connection(number), case .device(let leg?) = connection.dial.aim,
            plan.legs[leg]?.place == .dialing(connection.id)
        else { return }
        connection.legs.insert(leg)
        carry(leg, on: connection)
        tell { $0.legSentEarly(leg) }
    }

    func carry(_ leg: UplinkLegID, on connection: Connection) {
        connection.carried.insert(leg)
        let ways = connections.values.count { $0.carried.contains(leg) }
        if ways > 1 { faults.append("the CONNECT of \(name(leg)) is on \(ways) connections") }
    }

    /// The handshake has completed.
    func ready(_ number: Int, shared: Bool = false, streams: Int = 100, idleTimeout: Duration = .seconds(100)) {
        guard let connection = connection(number), !connection.isReady else { return }
        connection.isReady = true
        connection.isShared = shared
        connection.streams = streams
        let readiness = UplinkReadiness(
            isShared: shared, alpn: shared ? "mqtt-mux" : "mqtt", idleTimeout: idleTimeout)
        tell { $0.connectionReady(connection.id, readiness, at: self.world.now) }
    }

    func fail(_ number: Int, _ failure: UplinkWay.Failure? = .unanswered, _ why: String = "no answer") {
        fail(number, UplinkConnectionEnd(why: why, failure: failure))
    }

    /// - Parameter hasDeviceLeft: Whether the device whose CONNECT went out with the handshake has left since.
    func fail(_ number: Int, _ end: UplinkConnectionEnd, hasDeviceLeft: Bool = false) {
        guard let connection = connection(number), !connection.isReady else { return }
        connections[connection.id] = nil
        tell {
            if hasDeviceLeft, let leg = $0.legs.first(where: { $0.value.place == .early(connection.id) })?.key {
                self.forget(leg)
                $0.legEndedWithHandshake(leg)
            }
            $0.connectionFailed(connection.id, end, at: self.world.now)
        }
    }

    /// A connection that was ready breaks. Its legs leave after that, or come back if they are named.
    func lose(
        _ number: Int, _ end: UplinkConnectionEnd = .init(why: "gone", failure: .network), back: [String] = []
    ) {
        guard let connection = connection(number), connection.isReady else { return }
        connections[connection.id] = nil
        if plan.isDraining { successor?.tell { $0.predecessorLost(end, at: self.world.now) } }
        tell { $0.connectionLost(connection.id, end, wasSilent: connection.isSilent, at: self.world.now) }
        for leg in connection.legs.sorted() {
            if back.contains(name(leg)) { comeBack(name(leg)) } else { leave(name(leg)) }
        }
    }

    /// The broker ends the connection in order, and with it the leg.
    func end(_ number: Int) {
        guard let connection = connection(number), connection.isReady else { return }
        connections[connection.id] = nil
        tell { $0.connectionEnded(connection.id) }
        for leg in connection.legs.sorted() { leave(name(leg)) }
    }

    func room(on number: Int, streams: Int? = nil) {
        guard let connection = connection(number) else { return }
        if let streams { connection.streams = streams }
        connection.refusesStreams = false
        connection.isSilent = false
        tell { $0.connectionHasRoom(connection.id) }
    }

    func silence(_ number: Int) {
        guard let connection = connection(number) else { return }
        connection.isSilent = true
        tell { $0.connectionFellSilent(connection.id) }
    }

    func staySilent(_ number: Int, since: NIODeadline) {
        guard let connection = connection(number) else { return }
        tell { $0.connectionStaysSilent(connection.id, since: since, at: self.world.now) }
    }

    func answer(_ endpoint: Int? = nil) { tell { $0.pathAnswered(endpoint, at: self.world.now) } }
    func devicesMayCome() { tell { $0.devicesMayCome() } }
    func drain(to successor: PlanDriver) {
        self.successor = successor
        tell { $0.drain(at: self.world.now) }
    }
    func shutDown() { tell { $0.shutDown(at: self.world.now) } }
    func close() { tell { $0.close() } }
}
