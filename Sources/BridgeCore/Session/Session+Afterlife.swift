import MQTTCodec

// What is left of a session at the broker when it is over here.
//
// A device that asked for no session expiry must never find an earlier session (MQTT 5 3.1.2.11.2). The broker has one
// for as long as it was asked to, if the bridge asked for an expiry in the device's place and could not take it back: if
// there was no leg at the end, or if the last packet went out on a path that no longer answers.
extension Session {
    package var afterlife: Duration? {
        if secondsUntold > 0 { return .seconds(Int64(secondsUntold)) }
        return lingersAtBroker ? Self.lastSecond : nil
    }

    /// A second at the broker, which may look only once a second whether a session is over, and time for the way there.
    private static let lastSecond = Duration.seconds(3)

    /// The broker counts a keepalive that is up to 2 s longer than the device's, and 1.5 times that.
    private static let headStart = Duration.seconds(5)

    /// A longer keepalive hardly ever is what ends a connection.
    private static let longestPatience = Duration.seconds(3_600)

    /// The session ends, and the broker has not heard of it yet.
    mutating func leaveAtBroker(_ device: ConnectedDevice?, _ why: SessionEnd) {
        guard let device, device.facts.hasBorrowedExpiry, let hold = context.hold else { return }
        // The broker has given the session to another client.
        guard why != .brokerDisconnected(code: ReasonCode.sessionTakenOver.rawValue) else { return }
        // The expiry counts from when the broker notices that the connection is lost.
        let patience = Duration.patience(keepAlive: device.hold?.keepAlive ?? device.facts.keepAlive)
        let noticed = min(patience ?? context.idleTimeout, Self.longestPatience)
        let time = hold.configuration.time + noticed + Self.headStart
        secondsUntold = UInt32(clamping: time.components.seconds)
    }

    /// The broker has ended the leg behind the session's last packet.
    mutating func leftAtBroker(_ why: SessionEnd) {
        if why == .brokerClosed, hasSaidGoodbye { secondsUntold = 0 }
    }
}
