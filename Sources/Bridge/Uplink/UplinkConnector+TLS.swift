import BridgeCore
import NIOCore

/// Devices that go by MQTT over TLS over TCP, each on a connection of its own.
extension UplinkConnector {
    /// A TLS connection being made.
    struct TLSDial {
        let connection: TLSUplinkConnection
        let leg: UplinkLeg
        /// Of the device, for when it goes over QUIC after all.
        let keepAlive: Duration?
        let attempt: Upstream.Attempt
    }

    func dialTLS(for leg: UplinkLeg?, keepAlive: Duration?, _ attempt: Upstream.Attempt) {
        guard let tlsDialer else { preconditionFailure("TLS is chosen only where there is a fallback") }
        // Nothing is made in advance that only one device can use; the choice has just changed.
        guard let leg else { return upstream.abandoned(attempt) }
        let connection = tlsDialer.dial(within: configuration.fallbackTimeout, owner: self)
        tlsDials[ObjectIdentifier(connection)] = TLSDial(
            connection: connection, leg: leg, keepAlive: keepAlive, attempt: attempt)
    }

    /// A better way is there: who has nothing but an attempt by TLS takes that.
    func abandonTLSDials() {
        let dials = tlsDials.values
        tlsDials = [:]
        for dial in dials {
            dial.connection.close()
            upstream.abandoned(dial.attempt)
            requeue(dial.leg, keepAlive: dial.keepAlive)
        }
    }

    func abandonedTLS(_ leg: UplinkLeg) {
        guard let (key, dial) = tlsDials.first(where: { $0.value.leg === leg }) else { return }
        tlsDials[key] = nil
        dial.connection.close()
        upstream.abandoned(dial.attempt)
    }
}

extension UplinkConnector: TLSUplinkConnectionOwner {
    func tlsReady(_ connection: TLSUplinkConnection) {
        let key = ObjectIdentifier(connection)
        guard let dial = tlsDials.removeValue(forKey: key) else { return connection.close() }
        isDisturbed = false
        reached(dial.attempt)
        if dial.leg.isWaiting {
            tlsConnections[key] = connection
            connection.carry(dial.leg)
        } else {
            connection.close()
        }
        advance()
    }

    func tlsFailed(_ connection: TLSUplinkConnection, _ error: TLSUplinkError) {
        guard let dial = tlsDials.removeValue(forKey: ObjectIdentifier(connection)) else { return }
        isDisturbed = true
        failed(
            dial.attempt, UplinkConnectionEnd(why: "\(error)", failure: error.kind), dial.leg,
            keepAlive: dial.keepAlive)
    }

    func tlsEnded(_ connection: TLSUplinkConnection, isLost: Bool) {
        tlsConnections[ObjectIdentifier(connection)] = nil
        guard isLost else { return }
        isDisturbed = true
        upstream.lost(line)
    }
}
