import NIOCore

// Which way to the broker is taken, and who tries the better ones.
extension UplinkPlan {
    /// The gate may now allow what this plan waited for, or another way is in use.
    package mutating func upstreamChanged(at now: NIODeadline) {
        guard !isShutDown, !isDraining else { return }
        let way = gate.chosen
        if way != knownWay {
            let isBetter = way < knownWay
            knownWay = way
            let left = gate.leftWays
            leaveShared { left.contains($0) || (isBetter && way != .tls && $0 != way) }
            abandonDials(at: now) { left.contains($0) || (isBetter ? $0 == .tls : $0 < way) }
        }
        probes.isDue = true
        reconsider()
    }

    /// A better way works, or a server shuts down. Shared connections on the other ways keep their devices, and get no
    /// more.
    private mutating func leaveShared(where isLeft: (UplinkWay) -> Bool) {
        for id in shared {
            guard let connection = connections[id], isLeft(connection.way) else { continue }
            if connection.legCount == 0 { retire(id) } else { connections[id]?.role = .leaving }
        }
        shared = shared.filter { id in connections[id].map { !isLeft($0.way) } ?? false }
    }

    /// Gives up connections that are being made over a way that has failed, to a server that shuts down, or over TLS if
    /// QUIC works again. A leg whose CONNECT has already been sent has to wait for the outcome.
    private mutating func abandonDials(at now: NIODeadline, where isLeft: (UplinkWay) -> Bool) {
        // The latest goes first, so that the legs are at the front of the line in their previous order.
        for id in dialing.sorted(by: >) {
            guard case .dialing(let permit, let leg)? = connections[id]?.role, isLeft(permit.way) else { continue }
            if let leg, case .early? = legs[leg]?.place { continue }
            abandon(dial: id, at: now)
            if let leg { moveToFront(leg) }
        }
    }
}

// MARK: - Better ways

extension UplinkPlan {
    /// Handshakes that carry nothing, made to find out whether a better way works again. Only one plan in the process
    /// makes them.
    struct Probes {
        var isClaimed = false
        var connection: UplinkConnectionID?
        /// The ways to try if that connection fails.
        var rest: ArraySlice<UplinkWay> = []
        var isDue = false
        var nextAt: NIODeadline?
    }

    mutating func probeStep(at now: NIODeadline) -> UplinkAction? {
        // Without another way there is never anything to try.
        guard probes.isDue, configuration.hasAlternatives else { return nil }
        probes.isDue = false
        probes.nextAt = nil
        if !probes.isClaimed { probes.isClaimed = gate.claimsProbing() }
        guard probes.isClaimed, probes.connection == nil else { return nil }
        guard let time = gate.nextProbe() else {
            probes.isClaimed = false
            return nil
        }
        guard time <= now else {
            probes.nextAt = time
            return nil
        }
        probes.rest = gate.takeProbes(at: now)[...]
        guard !probes.rest.isEmpty else { return nil }
        probeNext(at: now)
        return pending.popFirst()
    }

    mutating func probeNext(at now: NIODeadline) {
        probes.connection = nil
        guard let way = probes.rest.popFirst(), way != .tls else {
            gate.probesFailed(at: now)
            probes.isDue = true
            return
        }
        let id = makeConnectionID()
        let idleTimeout = configuration.idleTimeout(for: nil)
        probes.connection = id
        connections[id] = Connection(way: way, role: .probing, idleTimeout: idleTimeout)
        pending.append(
            .dial(
                id,
                UplinkDial(
                    way: way, aim: .probe, patience: configuration.handshakeTimeout, idleTimeout: idleTimeout)))
    }

    mutating func probeSucceeded(_ id: UplinkConnectionID, at now: NIODeadline) {
        guard let connection = forget(id) else { return }
        probes.connection = nil
        pending.append(.close(id))
        gate.probeSucceeded(connection.way, at: now)
        probes.isDue = true
    }

    mutating func stopProbing(at now: NIODeadline) {
        guard probes.isClaimed else { return }
        probes.isClaimed = false
        if probes.connection != nil { gate.probesFailed(at: now) }
        probes.connection = nil
        gate.probingEnded()
    }
}
