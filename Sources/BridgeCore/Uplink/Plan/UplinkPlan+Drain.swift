import NIOCore

// How a plan ends while the program goes on, because new settings have come and another plan makes the connections.
extension UplinkPlan {
    /// Makes no further connections. What devices use stays until they have left it, what only waits for them is closed,
    /// and devices that wait for a connection are handed over, in the order in which they came. A device whose CONNECT
    /// is already on its way waits for the outcome.
    ///
    /// The plan is over once it ``isEmpty``.
    package mutating func drain(at now: NIODeadline) {
        guard !isDraining, !isShutDown else { return }
        stopProbing(at: now)
        isDraining = true
        lineRetryAt = nil
        nextIdleCheck = nil
        for (id, connection) in connections.sorted(by: { $0.key < $1.key }) {
            switch connection.role {
            case .dialing(_, let leg):
                if let leg, case .early? = legs[leg]?.place { continue }
                abandon(dial: id, at: now)
            case .stocking(let permit):
                gate.abandoned(permit, at: now)
                discard(id)
            case .warm, .probing:
                discard(id)
            case .single(let leg):
                if case .awaitingStream? = legs[leg]?.place { discard(id) }
            case .shared:
                if connection.legCount == 0 { retire(id) } else { connections[id]?.role = .leaving }
            case .leaving:
                continue
            }
        }
        shared = []
        for leg in legs.keys.sorted() {
            switch legs[leg]?.place {
            case .inLine?, .dialing?, .awaitingStream?: handOver(leg)
            case .early?, .open?, nil: continue
            }
        }
    }

    /// The leg waits for a connection of the plan that makes them now.
    mutating func handOver(_ leg: UplinkLegID) {
        line.remove(leg)
        guard let keepAlive = legs.removeValue(forKey: leg).map(\.keepAlive) else { return }
        pending.append(.handOver(leg, keepAlive: keepAlive))
    }

    private mutating func discard(_ id: UplinkConnectionID) {
        forget(id)
        pending.append(.close(id))
    }

    /// A connection of a draining plan of the same purpose was lost. Its devices come to this plan, as after the loss of
    /// a connection of its own.
    package mutating func predecessorLost(_ end: UplinkConnectionEnd, at now: NIODeadline) {
        guard !isShutDown, !isDraining else { return }
        isDisturbed = true
        if end.isBrokerBusy || end.pause > .zero {
            gate.mustPause(purpose, atLeast: end.pause, at: now)
        } else if end.failure != nil {
            gate.lost(purpose, at: now)
        }
        gate.disturbed(at: now)
        reconsider()
    }
}
