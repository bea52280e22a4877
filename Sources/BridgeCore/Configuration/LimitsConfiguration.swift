/// Limits on the resources of devices. A device beyond a limit is refused, and the other devices are not affected.
package struct LimitsConfiguration: Sendable, Equatable {
    /// The number of devices that are connected at the same time.
    package var devices: Int
    /// The number of devices that are connected at the same time from one IP address.
    package var devicesPerAddress: Int
    /// The time from the TCP connection to a whole CONNECT.
    package var connectWithin: Duration
    /// The size of an MQTT packet in bytes, including its fixed header.
    package var packetSize: Int
    /// The number of bytes that one session may hold in each direction before reading stops.
    package var sessionBuffer: Int
    /// The number of bytes that packets of more than ``sessionBuffer`` may take beyond it, over all sessions together.
    /// Messages pass in pieces and take nothing of it: only a SUBSCRIBE of thousands of filters, or its answer, is kept
    /// until it is whole. This is room for six of the longest packets of the default ``packetSize``.
    package static let longPackets = 64 << 20
    /// The number of bytes that a device may have taken before the broker is told, so that it may send as many again.
    /// Telling it of each packet would cost more than the packet, and this is a small part of what it may send.
    package var creditStep: Int { Self.creditStep(ofBuffer: sessionBuffer) }

    /// The ``creditStep`` of a session with a buffer of that many bytes.
    package static func creditStep(ofBuffer size: Int) -> Int { min(size / 32, 8_192) }

    /// The number of new TCP connections per second, over all listeners, with bursts of up to that number.
    package var acceptRate: Int
    /// The time to end all sessions in order after SIGTERM.
    package var shutdownTimeout: Duration
    /// How long a drain takes at most: then the program ends although devices are left.
    package var drainTimeout: Duration

    package init(
        devices: Int = 10_000,
        devicesPerAddress: Int = 10_000,
        connectWithin: Duration = .seconds(5),
        packetSize: Int = 10_000_000,
        sessionBuffer: Int = 262_144,
        acceptRate: Int = 1_000,
        shutdownTimeout: Duration = .seconds(5),
        drainTimeout: Duration = .seconds(300)
    ) {
        self.devices = devices
        self.devicesPerAddress = devicesPerAddress
        self.connectWithin = connectWithin
        self.packetSize = packetSize
        self.sessionBuffer = sessionBuffer
        self.acceptRate = acceptRate
        self.shutdownTimeout = shutdownTimeout
        self.drainTimeout = drainTimeout
    }
}
