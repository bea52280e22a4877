/// Bounds on what devices may take. Whoever is over one is refused; nobody else notices.
package struct LimitsConfiguration: Sendable, Equatable {
    /// Devices connected at once.
    package var devices: Int
    /// Devices connected at once from one IP address.
    package var devicesPerAddress: Int
    /// From TCP accept to a whole CONNECT.
    package var connectWithin: Duration
    /// Bytes of one MQTT packet, fixed header included.
    package var packetSize: Int
    /// Bytes that one session may hold in each direction before reading stops.
    package var sessionBuffer: Int
    /// New TCP connections a second, over all listeners; a burst of one second's worth is let through.
    package var acceptRate: Int
    /// Time to end all sessions in order after SIGTERM.
    package var shutdownTimeout: Duration

    package init(
        devices: Int = 10_000,
        devicesPerAddress: Int = 10_000,
        connectWithin: Duration = .seconds(5),
        packetSize: Int = 10_000_000,
        sessionBuffer: Int = 262_144,
        acceptRate: Int = 1_000,
        shutdownTimeout: Duration = .seconds(5)
    ) {
        self.devices = devices
        self.devicesPerAddress = devicesPerAddress
        self.connectWithin = connectWithin
        self.packetSize = packetSize
        self.sessionBuffer = sessionBuffer
        self.acceptRate = acceptRate
        self.shutdownTimeout = shutdownTimeout
    }
}
