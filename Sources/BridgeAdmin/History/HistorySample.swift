/// What happened in one interval of the history.
package struct HistorySample: Codable, Sendable, Equatable {
    /// The end of the interval, in seconds since 1970-01-01T00:00:00Z.
    package var time: Double
    /// PUBLISH packets per second, from devices and to them.
    package var messagesUp: Double
    package var messagesDown: Double
    /// Bytes of MQTT per second.
    package var bytesUp: Double
    package var bytesDown: Double
    /// Seconds from a PUBLISH to the broker's acknowledgement; `nil` if none was acknowledged in the interval.
    package var acknowledgementP50: Double?
    package var acknowledgementP99: Double?
    /// Devices by state, at the end of the interval.
    package var live: Int
    package var held: Int
    package var connecting: Int
}
