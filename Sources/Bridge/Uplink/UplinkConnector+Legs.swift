import Logging

// What legs have to say.
extension UplinkConnector: UplinkLegOwner {
    var presentFailure: String? {
        upstream.failure(line)
            ?? (shared.awaitsFirstStream ? "the broker allows no stream for devices on a connection" : nil)
    }

    func abandoned(_ leg: UplinkLeg) {
        if waiters.remove(ObjectIdentifier(leg)) {
            // Many may leave in the same moment.
        } else if let (key, dial) = awaitingStream.first(where: { $0.value.leg === leg }) {
            awaitingStream[key] = nil
            dial.connection.close()
        } else if let (key, dial) = dials.first(where: { $0.value.leg === leg }) {
            abandoned(dial, key)
        } else {
            abandonedTLS(leg)
        }
        advance()
    }

    func cameBack(_ leg: UplinkLeg, keepAlive: Duration?) {
        logger.debug("a device's CONNECT goes again on another connection", metadata: ["leg": "uplink"])
        warm?.distrust()
        toTheFront(leg, keepAlive)
        advance()
    }

    /// Others may be glad of a connection that its device has no more use for.
    private func abandoned(_ dial: Dial, _ key: ObjectIdentifier) {
        guard sharing == .refused || waiters.isEmpty else {
            dials[key]?.leg = nil
            return
        }
        // Devices with less patience than a handshake come and go, and yet somebody has to find out that it fails.
        guard !configuration.hasAlternatives || dials.values.contains(where: { $0.leg == nil }) else {
            dials[key]?.leg = nil
            return
        }
        dials[key] = nil
        dial.connection.close()
        if let attempt = dial.attempt { upstream.abandoned(attempt) }
    }
}
