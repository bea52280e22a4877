/// What `run` has done since it began. Each event loop has one such value; their sum goes to the log.
package struct BridgeStatistics: Sendable, Equatable {
    /// Devices whose TCP connection was accepted.
    package var devices = 0
    /// Devices that the broker let in.
    package var sessions = 0
    /// Bytes of MQTT that devices sent.
    package var bytesUp: UInt64 = 0
    /// Bytes of MQTT that went to devices.
    package var bytesDown: UInt64 = 0
    /// TCP connections of devices, and sessions whose device is gone and that are not over yet: as of now, not since
    /// the beginning.
    package var openDevices = 0

    package init() {}

    /// The figures of two event loops together.
    package static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.devices += right.devices
        sum.sessions += right.sessions
        sum.bytesUp += right.bytesUp
        sum.bytesDown += right.bytesDown
        sum.openDevices += right.openDevices
        return sum
    }

    /// Names and figures for the log.
    package var fields: [(name: String, value: String)] {
        [
            ("devices", "\(devices)"), ("open_devices", "\(openDevices)"), ("sessions", "\(sessions)"),
            ("bytes_up", "\(bytesUp)"), ("bytes_down", "\(bytesDown)"),
        ]
    }
}
