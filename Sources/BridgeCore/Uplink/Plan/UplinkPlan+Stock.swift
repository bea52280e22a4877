import NIOCore

/// Connections made ahead of time: a device's CONNECT goes out on one at once, and is answered after one round trip,
/// without early data that an attacker could send again.
///
/// EMQX's time limit for CONNECT starts with the first stream, and QUIC's keep-alive keeps the connections open until
/// then. They are made one at a time. If the stock cannot be kept, attempts are made less and less often: after a
/// failed handshake, and after a connection that the server closed within ``UplinkPlan/proof``.
extension UplinkPlan {
    struct Stock {
        /// Connections with the role ``ConnectionRole/warm``, the oldest first.
        var connections: [UplinkConnectionID] = []
        /// The connection that is being made.
        var dial: UplinkConnectionID?
        var gate: ReconnectGate
        /// The gate's pass for the attempt under way.
        var pass: ReconnectGate.Pass?
        /// Whether the server ended the last lost connection before it was proven.
        var isUnwanted = false
        /// The longest keepalive of a device so far, which the connections have to allow.
        var keepAlive = Duration.seconds(60)
        /// Whether a connection may have to be made or closed.
        var isDue = false
        var retryAt: NIODeadline?
    }

    /// A server that ends connections without a device sooner than this does not want them.
    static let proof = TimeAmount.seconds(30)
    /// A connection is replaced after this time, so that what a device gets is known to work.
    private static let renewal = Duration.seconds(300)
    private static let shortestRenewal = Duration.seconds(5)
    /// Connections for devices with longer keepalives are made when they come. Nearly all clients have 60 s or less.
    private static let longestKeepAlive = Duration.seconds(3_600)

    /// Makes a missing connection, or closes a superfluous one.
    mutating func stockStep(at now: NIODeadline) -> UplinkAction? {
        guard stock.isDue, stockTarget > 0 else { return nil }
        stock.retryAt = nil
        let way = gate.chosen
        if let action = dropStrayed(from: way, at: now) { return action }
        noticeProof(at: now)
        let wanted = wantedStock(way)
        // An old connection is closed once its replacement is ready.
        if stock.connections.count > wanted, let oldest = stock.connections.first {
            forget(oldest)
            return .close(oldest)
        }
        stock.isDue = false
        let fresh = warmths.count { $0.renewAt > now }
        guard fresh < wanted, case .quic(let endpoint) = way else {
            stock.retryAt = nextChange(at: now)
            return nil
        }
        return stock.dial == nil ? replenish(to: endpoint, at: now) : nil
    }

    private mutating func replenish(to endpoint: Int, at now: NIODeadline) -> UplinkAction? {
        switch stock.gate.request(at: now) {
        case .go(let pass):
            return dialAhead(to: endpoint, pass, at: now)
        case .wait(let until):
            stock.retryAt = until
            return nil
        case .waitForProbe:
            guard let pass = stock.pass, warmths.allSatisfy(\.isProven) else {
                stock.retryAt = nextChange(at: now)
                return nil
            }
            // The connection that was to show whether the server wants such connections is gone, but the server did not
            // end it.
            stock.pass = nil
            stock.gate.abandoned(pass, at: now)
            return replenish(to: endpoint, at: now)
        }
    }

    private func wantedStock(_ way: UplinkWay) -> Int {
        guard way != .tls else { return 0 }
        return switch mapping {
        // One connection is enough to learn what the server chooses.
        case .auto: 1
        // If a device waits, its connection is being made anyway.
        case .mux, .dataStream: shared.isEmpty && dialing.isEmpty && line.isEmpty ? 1 : 0
        case .connection: stockTarget
        }
    }

    private mutating func dialAhead(to endpoint: Int, _ pass: ReconnectGate.Pass, at now: NIODeadline) -> UplinkAction?
    {
        switch gate.mayDialAhead(to: endpoint, purpose, for: waker, at: now) {
        case .wait(let until):
            stock.gate.abandoned(pass, at: now)
            stock.retryAt = until
            return nil
        case .go(let permit):
            let id = makeConnectionID()
            // A connection that may turn out to be shared gets none that suits a single device.
            let idleTimeout = mapping == .connection ? stockIdleTimeout : configuration.idleTimeout(for: nil)
            stock.dial = id
            stock.pass = pass
            connections[id] = Connection(way: permit.way, role: .stocking(permit), idleTimeout: idleTimeout)
            return .dial(
                id,
                UplinkDial(
                    way: permit.way, aim: .stock, patience: configuration.handshakeTimeout, idleTimeout: idleTimeout))
        }
    }

    /// Closes what is on another way than the one that new connections take.
    private mutating func dropStrayed(from way: UplinkWay, at now: NIODeadline) -> UplinkAction? {
        if let id = stock.dial, case .stocking(let permit)? = connections[id]?.role, permit.way != way {
            forget(id)
            if let pass = stock.pass { stock.gate.abandoned(pass, at: now) }
            gate.abandoned(permit, at: now)
            // Devices may have waited for its outcome.
            isLineDue = true
            return .close(id)
        }
        guard let id = stock.connections.first(where: { connections[$0]?.way != way }) else { return nil }
        forget(id)
        return .close(id)
    }

    private mutating func noticeProof(at now: NIODeadline) {
        for id in stock.connections {
            guard case .warm(var warmth)? = connections[id]?.role, !warmth.isProven, warmth.readyAt + Self.proof <= now
            else { continue }
            warmth.isProven = true
            connections[id]?.role = .warm(warmth)
            proved()
        }
    }

    private mutating func proved() {
        stock.isUnwanted = false
        stock.gate.succeeded()
    }

    private var warmths: [ConnectionRole.Warmth] {
        stock.connections.compactMap { if case .warm(let warmth)? = connections[$0]?.role { warmth } else { nil } }
    }

    private func nextChange(at now: NIODeadline) -> NIODeadline? {
        warmths.flatMap { [$0.renewAt, $0.readyAt + Self.proof] }.filter { $0 > now }.min()
    }
}

// MARK: - Given to devices

extension UplinkPlan {
    /// The oldest connection in the stock that a device with that keepalive can have.
    mutating func stocked(for keepAlive: Duration?, seeing view: some UplinkConnectionsView) -> UplinkConnectionID? {
        guard stockTarget > 0 else { return nil }
        if let keepAlive, keepAlive <= Self.longestKeepAlive { stock.keepAlive = max(stock.keepAlive, keepAlive) }
        let way = gate.chosen
        return stock.connections.first { id in
            guard let connection = connections[id], case .warm(let warmth) = connection.role else { return false }
            let facts = view.facts(of: id)
            // MQTT's keepalive has to expire before QUIC's idle timeout, unless that would keep a device waiting which
            // waits for this very connection.
            let isLongEnough = connection.idleTimeout >= configuration.idleTimeout(for: keepAlive) || warmth.isBrief
            return connection.way == way && isLongEnough && !facts.isSilent && facts.availableStreams > 0
        }
    }

    mutating func take(_ id: UplinkConnectionID, for leg: UplinkLegID) {
        stock.connections.removeAll { $0 == id }
        connections[id]?.role = .single(leg)
        proved()
        stock.isDue = true
    }
}

// MARK: - Outcomes

extension UplinkPlan {
    mutating func stocked(
        _ id: UplinkConnectionID, _ permit: DialPermit, _ readiness: UplinkReadiness, at now: NIODeadline
    ) {
        stock.dial = nil
        joined(id, permit, readiness, at: now)
        pending.append(.report(.connectionStocked))
        guard !readiness.isShared else {
            stock.gate.succeeded()
            return scheduleIdleCheck(of: id, at: now + idlePatience)
        }
        // Only the one that found out that devices do not share can be too brief. It is replaced at once.
        let usual = configuration.idleTimeout(for: nil)
        let isBrief = usual < stockIdleTimeout && connections[id]?.idleTimeout == usual
        let renewAt = isBrief ? now : now + lifetime(readiness.idleTimeout)
        connections[id]?.role = .warm(.init(readyAt: now, renewAt: renewAt, isBrief: isBrief))
        stock.connections.append(id)
    }

    /// What devices need that have a connection to themselves.
    private var stockIdleTimeout: Duration { configuration.idleTimeout(for: stock.keepAlive) }

    /// If the keep-alive is longer than the idle timeout, the connection would end by itself, so it is replaced before
    /// that.
    private func lifetime(_ idleTimeout: Duration) -> TimeAmount {
        let idle = idleTimeout * 0.8
        guard idle > .zero, idle < configuration.keepAlive else { return TimeAmount(Self.renewal) }
        return TimeAmount(max(idle, Self.shortestRenewal))
    }

    /// Devices no longer wait for this connection, and try by themselves.
    mutating func stockingFailed(_ permit: DialPermit, _ end: UplinkConnectionEnd, at now: NIODeadline) {
        stock.gate.failed(stock.pass, at: now, jitter: jitter())
        _ = gate.failed(permit, end, hasOthers: !shared.isEmpty, at: now)
    }

    mutating func stockedLost(
        _ warmth: ConnectionRole.Warmth, _ end: UplinkConnectionEnd, wasSilent: Bool, at now: NIODeadline
    ) {
        pending.append(.report(.stockedConnectionEnded(why: end.why)))
        // A loss to the network says nothing about whether the server wants such connections.
        guard !wasSilent, !warmth.isProven, warmth.readyAt + Self.proof > now else { return }
        stock.isUnwanted = true
        stock.gate.failed(nil, at: now, jitter: jitter())
    }

    /// Another connection has reached the server. If the server closes idle connections, that changes nothing.
    mutating func serverAnswered() {
        if !stock.isUnwanted { stock.gate.succeeded() }
    }

    /// One connection was dead when it was needed, and the broker has not been heard on the others since either.
    mutating func emptyStock() {
        for id in stock.connections {
            connections[id] = nil
            pending.append(.close(id))
        }
        stock.connections = []
    }
}
