/// What happened in one interval of the history.
package struct HistorySample: Codable, Sendable, Equatable {
    /// The end of the interval, in seconds since 1970-01-01T00:00:00Z.
    package var time: Double
    /// PUBLISH packets per second, from devices.
    package var messagesUp: Double
    /// PUBLISH packets per second, to devices.
    package var messagesDown: Double
    /// Bytes of MQTT per second, from devices.
    package var bytesUp: Double
    /// Bytes of MQTT per second, to devices.
    package var bytesDown: Double
    /// The median of the seconds from a PUBLISH to the broker's acknowledgement; `nil` if none was acknowledged in the
    /// interval.
    package var acknowledgementP50: Double?
    /// The 99th percentile of the same.
    package var acknowledgementP99: Double?
    /// How many devices were connected, with a working leg to the broker, at the end of the interval.
    package var live: Int
    /// How many devices were held at the end of the interval.
    package var held: Int
    /// How many devices had no answer to their CONNECT yet at the end of the interval.
    package var connecting: Int
}
