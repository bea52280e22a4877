import NIOCore

// Events of legs.
extension UplinkPlan {
    /// A device wants a leg: it goes to the end of the line.
    package mutating func legAsked(_ leg: UplinkLegID, keepAlive: Duration?) {
        legs[leg] = Leg(place: .inLine, keepAlive: keepAlive)
        guard !isDraining else { return handOver(leg) }
        line.append(leg, leg)
        isLineDue = true
    }

    /// The leg's CONNECT went out as early data with the handshake of its connection.
    package mutating func legSentEarly(_ leg: UplinkLegID) {
        guard case .dialing(let id)? = legs[leg]?.place else { return }
        legs[leg]?.place = .early(id)
    }

    /// The leg ends with the handshake that its CONNECT went out with, since its device has left. ``connectionFailed(_:_:at:)``
    /// follows: the failure says as much about the way as any other.
    package mutating func legEndedWithHandshake(_ leg: UplinkLegID) {
        guard case .early(let id)? = legs.removeValue(forKey: leg)?.place,
            case .dialing(let permit, _)? = connections[id]?.role
        else { return }
        connections[id]?.role = .dialing(permit, nil)
        unclaimedDials += 1
    }

    /// The device has left or its leg is over, whatever the leg's place.
    package mutating func legLeft(_ leg: UplinkLegID, at now: NIODeadline) {
        guard let place = legs.removeValue(forKey: leg)?.place else { return }
        switch place {
        case .inLine:
            line.remove(leg)
        case .dialing(let id):
            leave(dial: id, at: now)
        case .early(let id):
            abandon(dial: id, at: now)
        case .awaitingStream(let id):
            forget(id)
            pending.append(.close(id))
        case .open(let id):
            return vacate(id, at: now)
        }
        reconsider()
    }

    /// The connection was dead before anything had come on the leg, and the leg has left it. Its CONNECT is sent again
    /// on another connection, before everything that waits.
    package mutating func legCameBack(_ leg: UplinkLegID, at now: NIODeadline) {
        guard case .open(let id)? = legs[leg]?.place else { return }
        pending.append(.report(.legCameBack))
        vacate(id, at: now)
        // The other connections in the stock have not been heard from more recently.
        emptyStock()
        moveToFront(leg)
        reconsider()
    }

    /// The connection has no stream for the leg, although it seemed to have room.
    package mutating func streamUnavailable(for leg: UplinkLegID, at now: NIODeadline) {
        guard case .open(let id)? = legs[leg]?.place else { return }
        if case .single? = connections[id]?.role {
            connections[id]?.legCount -= 1
            legs[leg]?.place = .awaitingStream(id)
            return
        }
        connections[id]?.isFull = true
        vacate(id, at: now)
        moveToFront(leg)
        reconsider()
    }

    /// The connection cannot open a stream at all.
    package mutating func streamFailed(for leg: UplinkLegID, _ why: String, at now: NIODeadline) {
        guard case .open(let id)? = legs[leg]?.place else { return }
        vacate(id, at: now)
        giveUp(leg, why)
        reconsider()
    }

    /// Why devices have to wait, if that is known.
    package func presentFailure(seeing view: some UplinkConnectionsView) -> String? {
        gate.failure(purpose)
            ?? (awaitsFirstStream(seeing: view) ? "the broker allows no stream for devices on a connection" : nil)
    }
}

// MARK: - Places

extension UplinkPlan {
    mutating func moveToFront(_ leg: UplinkLegID) {
        guard legs[leg] != nil else { return }
        guard !isDraining else { return handOver(leg) }
        legs[leg]?.place = .inLine
        line.prepend(leg, leg)
    }

    mutating func giveUp(_ leg: UplinkLegID, _ why: String) {
        legs[leg] = nil
        pending.append(.unreachable(leg, why: why))
    }

    /// The leg gets a stream on the connection.
    mutating func place(_ leg: UplinkLegID, on id: UplinkConnectionID, mayComeBack: Bool) -> UplinkAction {
        legs[leg]?.place = .open(id)
        occupy(id)
        return .openStream(leg, on: id, mayComeBack: mayComeBack)
    }

    mutating func occupy(_ id: UplinkConnectionID) {
        connections[id]?.legCount += 1
        connections[id]?.idleCheckAt = nil
        isReserveDue = true
    }

    /// A leg has left its stream on the connection.
    private mutating func vacate(_ id: UplinkConnectionID, at now: NIODeadline) {
        guard let connection = connections[id] else { return }
        switch connection.role {
        case .shared:
            connections[id]?.legCount -= 1
            if connection.legCount == 1 { scheduleIdleCheck(of: id, at: now + idlePatience) }
            // A free stream concerns only devices that wait.
            isLineDue = true
        case .leaving:
            connections[id]?.legCount -= 1
            if connection.legCount == 1 { retire(id) }
        case .single, .dialing, .stocking, .probing, .warm:
            forget(id)
            pending.append(.close(id))
        }
    }

    /// The device of a connection that is being made has left. The connection may still be needed: by devices that
    /// wait, if they can share it, and to find out whether the way works. Devices that give up sooner than a handshake
    /// does come and go, so one handshake has to be completed without them.
    private mutating func leave(dial id: UplinkConnectionID, at now: NIODeadline) {
        guard case .dialing(let permit, _)? = connections[id]?.role else { return }
        let isOfUse =
            permit.way != .tls
            && ((mapping != .connection && !line.isEmpty) || (configuration.hasAlternatives && unclaimedDials == 0))
        guard isOfUse else { return abandon(dial: id, at: now) }
        connections[id]?.role = .dialing(permit, nil)
        unclaimedDials += 1
    }

    /// Closes a connection that is being made for a device.
    mutating func abandon(dial id: UplinkConnectionID, at now: NIODeadline) {
        guard case .dialing(let permit, _)? = forget(id)?.role else { return }
        gate.abandoned(permit, at: now)
        pending.append(.close(id))
    }

    /// Removes the connection from everything that names it.
    @discardableResult
    mutating func forget(_ id: UplinkConnectionID) -> Connection? {
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        switch connection.role {
        case .dialing(_, let leg):
            dialing.remove(id)
            if leg == nil { unclaimedDials -= 1 }
        case .shared:
            shared.removeAll { $0 == id }
        case .warm:
            stock.connections.removeAll { $0 == id }
        case .stocking:
            stock.dial = nil
        case .single, .leaving, .probing:
            break
        }
        return connection
    }

    mutating func retire(_ id: UplinkConnectionID) {
        forget(id)
        pending.append(.retire(id))
    }
}
