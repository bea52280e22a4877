import NIOCore

// What happens to the first device in the line.
extension UplinkPlan {
    private enum Step {
        /// The device goes onto a shared connection.
        case attach(UplinkConnectionID)
        /// The device gets a connection of its own that was made ahead of time.
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
            // What other devices received on the connection earlier does not prove that it works now. (In a session of
            // the gateway, more than CONNECT may be under way, so nothing can be sent again.)
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

    /// A device that waits because of a loss should notice the broker's return.
    private mutating func waiting(until: NIODeadline?) -> Step {
        if isDisturbed { pending.append(.watchPaths) }
        return .wait(until: until)
    }

    /// Whether the first device in the line would benefit from another connection besides those under way.
    private func takesAnotherDial(seeing view: some UplinkConnectionsView) -> Bool {
        // Connections that are being made over QUIC do not help devices that use TLS, each on a connection of its own.
        guard gate.chosen != .tls else { return true }
        return switch mapping {
        case .mux, .dataStream:
            !awaitsFirstStream(seeing: view)
                && dialCount < min(line.count / capacity(seeing: view) + 1, Self.parallelDials)
        case .auto: dialCount == 0
        case .connection: true
        }
    }

    /// The number of connections that are being made, for devices or for the stock.
    private var dialCount: Int { dialing.count + (stock.dial == nil ? 0 : 1) }

    private mutating func dial(for leg: UplinkLegID?, _ permit: DialPermit) -> UplinkAction {
        let id = makeConnectionID()
        // A connection that may be shared must not count as alive for as long as its first device's keepalive allows.
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

    /// Has the next shared connection ready before the present ones are full. The broker shows its operator each
    /// session of the gateway, so none is made in advance.
    mutating func reserveStep(at now: NIODeadline, seeing view: some UplinkConnectionsView) -> UplinkAction? {
        guard isReserveDue, line.isEmpty else { return nil }
        isReserveDue = false
        guard purpose == .devices, !shared.isEmpty, dialCount == 0, gate.chosen != .tls, isNearlyFull(seeing: view),
            !awaitsFirstStream(seeing: view), case .go(let permit) = gate.mayDial(purpose, for: waker, at: now)
        else { return nil }
        guard permit.way != .tls else {
            // The way has just changed to TLS, over which only one device can use a connection, so none is made in
            // advance.
            gate.abandoned(permit, at: now)
            return nil
        }
        return dial(for: nil, permit)
    }
}
