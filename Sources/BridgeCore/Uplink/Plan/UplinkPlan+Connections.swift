import NIOCore

// Events of connections.
extension UplinkPlan {
    /// The broker is verified and has chosen a protocol, and the gateway's session, if there is one, has begun.
    package mutating func connectionReady(
        _ id: UplinkConnectionID, _ readiness: UplinkReadiness, at now: NIODeadline
    ) {
        guard let role = connections[id]?.role else { return }
        switch role {
        case .dialing(let permit, let leg): dialed(id, permit, leg, readiness, at: now)
        case .stocking(let permit): stocked(id, permit, readiness, at: now)
        case .probing: probeSucceeded(id, at: now)
        case .warm, .single, .shared, .leaving: return
        }
        reconsider()
    }

    private mutating func dialed(
        _ id: UplinkConnectionID, _ permit: DialPermit, _ leg: UplinkLegID?, _ readiness: UplinkReadiness,
        at now: NIODeadline
    ) {
        dialing.remove(id)
        if leg == nil { unclaimedDials -= 1 }
        if permit.way != .tls { serverAnswered() }
        joined(id, permit, readiness, at: now)
        guard let leg else {
            // Its device is gone. If there are no others to carry, the connection is not needed.
            if readiness.isShared, !isDraining {
                scheduleIdleCheck(of: id, at: now + idlePatience)
            } else {
                drop(id)
            }
            return
        }
        if !readiness.isShared { connections[id]?.role = .single(leg) }
        if case .early? = legs[leg]?.place {
            legs[leg]?.place = .open(id)
            occupy(id)
        } else {
            pending.append(place(leg, on: id, mayComeBack: false))
        }
    }

    /// The connection is established, and the server has chosen the protocol.
    mutating func joined(
        _ id: UplinkConnectionID, _ permit: DialPermit, _ readiness: UplinkReadiness, at now: NIODeadline
    ) {
        gate.succeeded(permit, at: now)
        probes.isDue = true
        isDisturbed = false
        connections[id]?.readyAt = now
        if permit.way != .tls { chose(readiness) }
        guard readiness.isShared else { return }
        guard !isDraining else {
            connections[id]?.role = .leaving
            return
        }
        connections[id]?.role = .shared
        shared.append(id)
    }

    private mutating func chose(_ readiness: UplinkReadiness) {
        guard configuration.mapping == .auto else { return }
        let choice: UplinkConfiguration.Mapping = readiness.isShared ? .mux : .connection
        guard mapping != choice else { return }
        mapping = choice
        pending.append(.report(.mappingChosen(choice, alpn: readiness.alpn)))
    }

    private mutating func drop(_ id: UplinkConnectionID) {
        connections[id] = nil
        pending.append(.close(id))
    }

    /// No address of the broker worked, or it refused the gateway; the connection is over. If it carried early data, its
    /// leg has taken that back.
    package mutating func connectionFailed(_ id: UplinkConnectionID, _ end: UplinkConnectionEnd, at now: NIODeadline) {
        guard let role = forget(id)?.role else { return }
        switch role {
        case .dialing(let permit, let leg): dialFailed(permit, end, leg, at: now)
        case .stocking(let permit): stockingFailed(permit, end, at: now)
        case .probing: probeNext(at: now)
        case .warm, .single, .shared, .leaving: preconditionFailure("a connection that stands is lost, and cannot fail")
        }
        reconsider()
    }

    private mutating func dialFailed(
        _ permit: DialPermit, _ end: UplinkConnectionEnd, _ leg: UplinkLegID?, at now: NIODeadline
    ) {
        var end = end
        if end.isBrokerBusy { end.failure = .refused }
        // A server that refuses is reachable, so no device waits for its return.
        if permit.way == .tls || !end.isRefusal { isDisturbed = true }
        let verdict = gate.failed(permit, end, hasOthers: !shared.isEmpty, at: now)
        guard case .exhausted = verdict, shared.isEmpty, !isDraining else {
            // Another attempt follows, or other connections may get room.
            if let leg { moveToFront(leg) }
            return
        }
        gate.disturbed(at: now)
        if let leg { giveUp(leg, gate.failure(purpose) ?? end.why) }
    }

    /// A connection that was ready is over. Call this before its legs are told; each of them then comes back or leaves.
    ///
    /// - Parameter wasSilent: Whether nothing had come on it for a while.
    package mutating func connectionLost(
        _ id: UplinkConnectionID, _ end: UplinkConnectionEnd, wasSilent: Bool, at now: NIODeadline
    ) {
        guard let connection = forget(id) else { return }
        defer { reconsider() }
        if case .warm(let warmth) = connection.role { return stockedLost(warmth, end, wasSilent: wasSilent, at: now) }
        isDisturbed = true
        let wasShared = connection.isShared
        // A shared connection that breaks as soon as it is established, perhaps because of what its devices send, must
        // not be made again at once over and over.
        if end.isBrokerBusy || end.pause > .zero || (wasShared && now < connection.readyAt + Self.youth) {
            gate.mustPause(purpose, atLeast: end.pause, at: now)
        } else if end.failure != nil {
            gate.lost(purpose, at: now)
        }
        if case .single(let leg) = connection.role, legs[leg]?.place == .awaitingStream(id) { giveUp(leg, end.why) }
        guard wasShared else { return }
        if end.failure == .network { doubtOthers(than: id) }
        gate.disturbed(at: now)
        // What kept another connection from being made is no longer the reason why devices wait.
        if shared.isEmpty { gate.forgetFailure(purpose) }
        if !end.isLogged {
            pending.append(.report(.sharedConnectionLost(devices: connection.legCount, why: end.why)))
        }
    }

    /// A connection that was ready for less than this time has not served any device.
    private static let youth = TimeAmount.seconds(1)

    /// A connection that was ready has ended in order, after its leg had.
    package mutating func connectionEnded(_ id: UplinkConnectionID) {
        forget(id)
    }

    /// The broker allows more streams, or has been heard again on the connection.
    package mutating func connectionHasRoom(_ id: UplinkConnectionID) {
        guard let connection = connections[id] else { return }
        connections[id]?.isFull = false
        if case .single(let leg) = connection.role, legs[leg]?.place == .awaitingStream(id) {
            pending.append(place(leg, on: id, mayComeBack: false))
        }
        isLineDue = true
    }

    /// The connection is silent, so the other shared ones have to show that they still work.
    package mutating func connectionFellSilent(_ id: UplinkConnectionID) {
        doubtOthers(than: id)
    }

    /// The connection is still silent. Nothing else would bring its devices to a way that works before they have been
    /// silent for one and a half times their keepalive: the server on the connection's own way may be gone for good. A
    /// way that worked before the silence proves nothing: the whole network may be away.
    ///
    /// - Parameter since: When it fell silent.
    package mutating func connectionStaysSilent(_ id: UplinkConnectionID, since: NIODeadline, at now: NIODeadline) {
        guard configuration.hasAlternatives, now >= since + TimeAmount(configuration.handshakeTimeout),
            let connection = connections[id], let proven = gate.proven(since: since), proven != connection.way
        else { return }
        pending.append(.giveUp(id))
    }

    private mutating func doubtOthers(than id: UplinkConnectionID) {
        for other in shared where other != id { pending.append(.doubt(other)) }
    }

    /// The broker answers again after a silence. Call this if ``awaitsPath`` is true.
    package mutating func pathAnswered(_ endpoint: Int?, at now: NIODeadline) {
        gate.pathAnswered(endpoint, at: now)
        serverAnswered()
        for id in dialing.sorted() where connections[id]?.way != .tls { pending.append(.hurry(id)) }
        reconsider()
    }

    /// Whether devices wait because the broker was lost, so that its return matters to the plan.
    package var awaitsPath: Bool {
        isDisturbed && !isShutDown && !isDraining && !(line.isEmpty && dialing.isEmpty)
    }
}

extension UplinkPlan.Connection {
    fileprivate var isShared: Bool {
        switch role {
        case .shared, .leaving: true
        case .dialing, .stocking, .probing, .warm, .single: false
        }
    }
}
