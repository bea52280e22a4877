import BridgeCore
import NIOCore

extension UplinkDriver {
    /// What its connections say about the broker now.
    ///
    /// With thousands of connections of one device each, one out of many shows as much as all of them, and looking at all
    /// would stall the loop: at most ``mostLookedAt`` are looked at, and the others counted like them.
    var standing: UplinkRecord.Connections {
        var found = UplinkRecord.Connections()
        let (now, silent) = (NIODeadline.now(), dialer.paths.silentAddresses)
        for connection in connections.values.prefix(Self.mostLookedAt) where connection.isReady {
            if let since = silence(of: connection, silent) {
                found.silent += 1
                found.silentSince = max(found.silentSince ?? .distantPast, since)
            } else if connection.lastReceived + longestPause(of: connection) < now {
                found.unheard += 1
            } else {
                found.standing += 1
            }
        }
        found.taking = plan.sharedWithRoom(seeing: self) == nil ? 0 : 1
        guard connections.count > Self.mostLookedAt else { return found }
        let share = Double(connections.count) / Double(Self.mostLookedAt)
        found.standing = Int((Double(found.standing) * share).rounded())
        found.silent = Int((Double(found.silent) * share).rounded())
        found.unheard = Int((Double(found.unheard) * share).rounded())
        return found
    }

    /// Since when the broker does not answer, on this connection or on another one to the same address on any event loop,
    /// unless it has been heard on this one since. `nil` if nothing says so; over TLS, nothing does.
    private func silence(
        of connection: any UplinkCarrier, _ silent: [SocketAddress: NIODeadline]
    ) -> NIODeadline? {
        if let address = (connection as? QUICCarrier)?.remoteAddress, let since = silent[address],
            connection.lastReceived <= since
        {
            return since
        }
        return connection.facts.isSilent ? connection.lastReceived : nil
    }

    /// How long nothing may come on the connection while it still counts as standing. QUIC's keep-alive is answered, and
    /// over TLS the device's PINGREQ is.
    private func longestPause(of connection: any UplinkCarrier) -> TimeAmount {
        let tls = connection as? TLSCarrier
        let keepAlive = tls.map { $0.leg?.keepAlive ?? Self.usualKeepAlive } ?? configuration.keepAlive
        return TimeAmount(keepAlive + max(keepAlive / 2, .seconds(5)))
    }

    /// What a device whose keepalive is not known is taken to have.
    private static let usualKeepAlive = Duration.seconds(60)

    private static let mostLookedAt = 512
}
