import NIOCore

// What becomes of connections.
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
            // Its device is gone: without others to carry the connection is of no use.
            if readiness.isShared { scheduleIdleCheck(of: id, at: now + idlePatience) } else { drop(id) }
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

    /// A connection stands, and the server has chosen what it is for.
    mutating func joined(
        _ id: UplinkConnectionID, _ permit: DialPermit, _ readiness: UplinkReadiness, at now: NIODeadline
    ) {
        gate.succeeded(permit, at: now)
        probes.isDue = true
        isDisturbed = false
        connections[id]?.readyAt = now
        if permit.way != .tls { chose(readiness) }
        guard readiness.isShared else { return }
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
        // A server that refuses is there: no device has to be told of its return.
        if permit.way == .tls || !end.isRefusal { isDisturbed = true }
        let verdict = gate.failed(permit, end, hasOthers: !shared.isEmpty, at: now)
        guard case .exhausted = verdict, shared.isEmpty else {
            // Another attempt follows, or the other connections may get room.
            if let leg { moveToFront(leg) }
            return
        }
        gate.disturbed(at: now)
        if let leg { giveUp(leg, gate.failure(purpose) ?? end.why) }
    }

    /// A connection that was ready is over. To be called before its legs are told; each of them then comes back or
    /// leaves.
    ///
    /// - Parameter wasSilent: Nothing had come on it for a while.
    package mutating func connectionLost(
        _ id: UplinkConnectionID, _ end: UplinkConnectionEnd, wasSilent: Bool, at now: NIODeadline
    ) {
        guard let connection = forget(id) else { return }
        defer { reconsider() }
        if case .warm(let warmth) = connection.role { return stockedLost(warmth, end, wasSilent: wasSilent, at: now) }
        isDisturbed = true
        let wasShared = connection.isShared
        // A shared connection that breaks as soon as it stands, because of what its devices send, is not made anew at
        // once again and again.
        if end.isBrokerBusy || end.pause > .zero || (wasShared && now < connection.readyAt + Self.youth) {
            gate.mustPause(purpose, atLeast: end.pause, at: now)
        } else if end.failure != nil {
            gate.lost(purpose, at: now)
        }
        if case .single(let leg) = connection.role, legs[leg]?.place == .awaitingStream(id) { giveUp(leg, end.why) }
        guard wasShared else { return }
        if end.failure == .network { doubtOthers(than: id) }
        gate.disturbed(at: now)
        // What kept a further connection from being made is not what is wrong now.
        if shared.isEmpty { gate.forgetFailure(purpose) }
        if !end.isLogged {
            pending.append(.report(.sharedConnectionLost(devices: connection.legCount, why: end.why)))
        }
    }

    /// A connection that is ready for no longer than this has been of use to nobody.
    private static let youth = TimeAmount.seconds(1)

    /// A connection that was ready has ended in order, after its leg had.
    package mutating func connectionEnded(_ id: UplinkConnectionID) {
        forget(id)
    }

    /// Streams may be opened that could not before, or the connection has been heard again.
    package mutating func connectionHasRoom(_ id: UplinkConnectionID) {
        guard let connection = connections[id] else { return }
        connections[id]?.isFull = false
        if case .single(let leg) = connection.role, legs[leg]?.place == .awaitingStream(id) {
            pending.append(place(leg, on: id, mayComeBack: false))
        }
        isLineDue = true
    }

    /// Nothing has come on the connection for a while although something should have: the other shared ones have to show
    /// that they are better.
    package mutating func connectionFellSilent(_ id: UplinkConnectionID) {
        doubtOthers(than: id)
    }

    private mutating func doubtOthers(than id: UplinkConnectionID) {
        for other in shared where other != id { pending.append(.doubt(other)) }
    }

    /// The broker answers again after a silence. To be told to a plan for which ``awaitsPath`` is true.
    package mutating func pathAnswered(_ endpoint: Int?, at now: NIODeadline) {
        gate.pathAnswered(endpoint, at: now)
        serverAnswered()
        for id in dialing.sorted() where connections[id]?.way != .tls { pending.append(.hurry(id)) }
        reconsider()
    }

    /// Devices wait because the broker was lost, and are to hear of its return.
    package var awaitsPath: Bool {
        isDisturbed && !isShutDown && !(line.isEmpty && dialing.isEmpty)
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
