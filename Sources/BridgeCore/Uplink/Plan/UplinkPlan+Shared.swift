import NIOCore

// Connections that devices share.
extension UplinkPlan {
    /// EMQX's default is ten streams per connection, of which one is the gateway's.
    private static let usualDataStreams = 9

    /// Whether devices share connections, as far as is known.
    var sharesConnections: Bool {
        switch mapping {
        case .mux, .dataStream: true
        case .auto, .connection: false
        }
    }

    private var devicesPerConnection: Int {
        purpose == .devices ? configuration.devicesPerConnection : .max
    }

    /// How many devices a connection takes, at least 1. The server decides, so it may be fewer than the operator
    /// allows.
    func capacity(seeing view: some UplinkConnectionsView) -> Int {
        let usual = purpose == .devices ? configuration.devicesPerConnection : Self.usualDataStreams
        return max(shared.map { legCount(on: $0) + space(on: $0, view.facts(of: $0)) }.max() ?? usual, 1)
    }

    /// The oldest connection that takes another device now.
    package func sharedWithRoom(seeing view: some UplinkConnectionsView) -> UplinkConnectionID? {
        shared.first { room(on: $0, seeing: view) > 0 }
    }

    /// Whether a server does not yet allow even the first stream, in which case another connection would not help.
    func awaitsFirstStream(seeing view: some UplinkConnectionsView) -> Bool {
        shared.contains { legCount(on: $0) == 0 && view.facts(of: $0).availableStreams == 0 }
    }

    /// Whether so little room is left that the next connection should be under way.
    func isNearlyFull(seeing view: some UplinkConnectionsView) -> Bool {
        !shared.contains { legCount(on: $0) == 0 && !view.facts(of: $0).isSilent }
            && !hasReserve(besides: nil, seeing: view)
    }

    /// Whether there is room for a tenth of what one connection takes.
    private func hasReserve(besides excluded: UplinkConnectionID?, seeing view: some UplinkConnectionsView) -> Bool {
        let left = shared.reduce(0) { $1 == excluded ? $0 : $0 + room(on: $1, seeing: view) }
        return left >= max(capacity(seeing: view) / 10, 1)
    }

    private func room(on id: UplinkConnectionID, seeing view: some UplinkConnectionsView) -> Int {
        let facts = view.facts(of: id)
        return facts.isSilent || connections[id]?.isFull == true ? 0 : space(on: id, facts)
    }

    private func space(on id: UplinkConnectionID, _ facts: UplinkConnectionFacts) -> Int {
        max(min(devicesPerConnection - legCount(on: id), facts.availableStreams), 0)
    }

    private func legCount(on id: UplinkConnectionID) -> Int { connections[id]?.legCount ?? 0 }
}

// MARK: - Empty connections

extension UplinkPlan {
    /// A shared connection that has carried no device for this long is closed, unless it is kept for devices to come.
    var idlePatience: TimeAmount { TimeAmount(configuration.idleTimeout) }

    mutating func scheduleIdleCheck(of id: UplinkConnectionID, at time: NIODeadline) {
        connections[id]?.idleCheckAt = time
        nextIdleCheck = min(nextIdleCheck ?? time, time)
    }

    mutating func idleStep(at now: NIODeadline, seeing view: some UplinkConnectionsView) -> UplinkAction? {
        guard let due = nextIdleCheck, due <= now else { return nil }
        nextIdleCheck = nil
        for id in shared {
            guard let time = connections[id]?.idleCheckAt else { continue }
            if time > now {
                scheduleIdleCheck(of: id, at: time)
            } else if isSuperfluous(id, seeing: view) {
                retire(id)
                // Devices may have waited for a stream on it.
                isLineDue = true
            } else {
                scheduleIdleCheck(of: id, at: now + idlePatience)
            }
        }
        return pending.popFirst()
    }

    /// Whether the other connections have enough room. With a stock, one shared connection is kept for devices to come.
    private func isSuperfluous(_ id: UplinkConnectionID, seeing view: some UplinkConnectionsView) -> Bool {
        shared.count == 1 ? stockTarget == 0 : hasReserve(besides: id, seeing: view)
    }
}
