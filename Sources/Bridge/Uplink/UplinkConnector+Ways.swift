import BridgeCore

// Which way to the broker is taken.
extension UplinkConnector {
    /// What was waited for may have come, or another way is taken.
    func upstreamChanged() {
        guard !isShutDown else { return }
        let way = upstream.chosen
        if way != knownWay {
            let isBetter = upstream.isBetter(way, than: knownWay)
            knownWay = way
            if isBetter {
                leaveLesser(way)
                abandonTLSDials()
            } else {
                abandonDials(for: way)
            }
        }
        probeBetterWays()
        warm?.fill()
        advance()
    }

    /// The way in use has failed: nobody waits any longer for what is on its way there.
    private func abandonDials(for way: CandidateChoice.Candidate) {
        for (key, dial) in dials {
            guard let attempt = dial.attempt, upstream.isBetter(attempt.candidate, than: way) else { continue }
            // With its CONNECT on the way already, it has to wait for what becomes of that.
            if let leg = dial.leg, !leg.isWaiting { continue }
            dials[key] = nil
            dial.connection.close()
            upstream.abandoned(attempt)
            requeue(dial.leg, keepAlive: dial.keepAlive)
        }
    }

    /// A better way works: shared connections elsewhere keep their devices, and get no more.
    private func leaveLesser(_ way: CandidateChoice.Candidate) {
        guard case .quic(let index) = way else { return }
        for connection in shared.all where connection.endpoint != configuration.endpoints[index] {
            _ = shared.remove(connection)
            if connection.legCount == 0 { connection.retire() } else { leaving.append(connection) }
        }
    }

    /// A connection stands.
    func reached(_ attempt: Upstream.Attempt?) {
        if let attempt { upstream.succeeded(attempt) }
        probeBetterWays()
    }

    /// Where that is to be done and nobody does it yet.
    private func probeBetterWays() {
        if prober == nil, upstream.claimsProber() {
            prober = CandidateProber(upstream, dialer: dialer, configuration: configuration, on: eventLoop)
        }
        if prober?.update() == true { prober = nil }
    }
}
