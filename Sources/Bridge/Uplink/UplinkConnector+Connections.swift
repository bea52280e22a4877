import BridgeCore
import NIOCore
import QUICTransport

// What becomes of connections.
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
    func joined(_ connection: UplinkConnection) {
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
    func serve(_ dial: Dial) {
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
                toTheFront(leg, dial.keepAlive)
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
        var end = end
        if end.isBrokerBusy { end.failure = .refused }
        // A server that refuses is there: nobody has to be told of its return.
        if !end.isRefusal { isDisturbed = true }
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

    func connectionFellSilent(_ connection: UplinkConnection) {
        shared.doubt(besides: connection, at: .now())
    }

    func connectionLost(_ connection: UplinkConnection, _ end: UplinkConnectionEnd) {
        isDisturbed = true
        // A shared one that breaks as soon as it stands, for what its devices bring along, is not made anew at once for ever.
        if end.isBrokerBusy || end.pause > .zero || (connection.isShared && connection.isYoung) {
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
        if end.failure == .network { shared.doubt(besides: connection, at: .now()) }
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
    func closeLater(_ connection: UplinkConnection, from start: NIODeadline? = nil) {
        guard connection.isShared, connection.legCount == 0, !connection.isClosingScheduled else { return }
        connection.isClosingScheduled = true
        let patience = TimeAmount(configuration.idleTimeout)
        let deadline = (start ?? connection.emptySince) + patience
        Timer.once(in: deadline - .now(), on: eventLoop) { [weak self, weak connection] in
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
