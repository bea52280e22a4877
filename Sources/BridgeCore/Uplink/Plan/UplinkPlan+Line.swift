import NIOCore

// What becomes of the first device in the line.
extension UplinkPlan {
    private enum Step {
        /// Onto a shared connection.
        case attach(UplinkConnectionID)
        /// Onto a connection of its own that was made ahead of time.
        case take(UplinkConnectionID)
        case dial(DialPermit)
        case wait(until: NIODeadline?)
    }

    /// How many shared connections are made at once when many devices come together.
    private static let parallelDials = 8

    mutating func lineStep(at now: NIODeadline, seeing view: some UplinkConnectionsView) -> UplinkAction? {
        guard isLineDue else { return nil }
        lineRetryAt = nil
        guard let leg = line.first else {
            isLineDue = false
            return nil
        }
        switch nextStep(legs[leg]?.keepAlive, at: now, seeing: view) {
        case .attach(let id):
            line.removeFirst()
            // What others have had on the connection says little about now. (In a session of the gateway more than
            // CONNECT may be under way.)
            return place(leg, on: id, mayComeBack: purpose == .devices)
        case .take(let id):
            line.removeFirst()
            take(id, for: leg)
            return place(leg, on: id, mayComeBack: true)
        case .dial(let permit):
            line.removeFirst()
            return dial(for: leg, permit)
        case .wait(let until):
            isLineDue = false
            lineRetryAt = until
            return nil
        }
    }

    private mutating func nextStep(
        _ keepAlive: Duration?, at now: NIODeadline, seeing view: some UplinkConnectionsView
    ) -> Step {
        if sharesConnections, let id = sharedWithRoom(seeing: view) {
            return gate.admit(at: now).map { .wait(until: $0) } ?? .attach(id)
        }
        if mapping == .connection, let id = stocked(for: keepAlive, seeing: view) {
            return gate.admit(at: now).map { .wait(until: $0) } ?? .take(id)
        }
        guard takesAnotherDial(seeing: view) else { return waiting(until: nil) }
        return switch gate.mayDial(purpose, for: waker, at: now) {
        case .go(let permit): .dial(permit)
        case .wait(let until): waiting(until: until)
        }
    }

    /// A device that waits because of a loss is to hear of the broker's return.
    private mutating func waiting(until: NIODeadline?) -> Step {
        if isDisturbed { pending.append(.watchPaths) }
        return .wait(until: until)
    }

    /// Whether another connection, besides those under way, would be of use to the first in the line.
    private func takesAnotherDial(seeing view: some UplinkConnectionsView) -> Bool {
        // What is under way over QUIC is of no use to devices that go by TLS, each on a connection of its own.
        guard gate.chosen != .tls else { return true }
        return switch mapping {
        case .mux, .dataStream:
            !awaitsFirstStream(seeing: view)
                && dialCount < min(line.count / capacity(seeing: view) + 1, Self.parallelDials)
        case .auto: dialCount == 0
        case .connection: true
        }
    }

    /// Connections under way, for a device or for the stock.
    private var dialCount: Int { dialing.count + (stock.dial == nil ? 0 : 1) }

    private mutating func dial(for leg: UplinkLegID?, _ permit: DialPermit) -> UplinkAction {
        let id = makeConnectionID()
        // A connection that may be shared is not to be thought alive for as long as its first device is patient.
        let keepAlive = mapping == .connection ? leg.flatMap { legs[$0]?.keepAlive } : nil
        let idleTimeout = configuration.idleTimeout(for: keepAlive)
        connections[id] = Connection(way: permit.way, role: .dialing(permit, leg), idleTimeout: idleTimeout)
        dialing.insert(id)
        if let leg { legs[leg]?.place = .dialing(id) } else { unclaimedDials += 1 }
        if isDisturbed { pending.append(.watchPaths) }
        return .dial(
            id,
            UplinkDial(
                way: permit.way, aim: .device(leg), patience: configuration.handshakeTimeout(permit.way),
                idleTimeout: idleTimeout))
    }

    /// Has the next shared connection ready before the present ones are full. A session of the gateway is something that
    /// the broker shows: none is made for nobody.
    mutating func reserveStep(at now: NIODeadline, seeing view: some UplinkConnectionsView) -> UplinkAction? {
        guard isReserveDue, line.isEmpty else { return nil }
        isReserveDue = false
        guard purpose == .devices, !shared.isEmpty, dialCount == 0, gate.chosen != .tls, isNearlyFull(seeing: view),
            !awaitsFirstStream(seeing: view), case .go(let permit) = gate.mayDial(purpose, for: waker, at: now)
        else { return nil }
        guard permit.way != .tls else {
            // The choice has just changed: over TLS nothing is made in advance that only one device can use.
            gate.abandoned(permit, at: now)
            return nil
        }
        return dial(for: nil, permit)
    }
}
