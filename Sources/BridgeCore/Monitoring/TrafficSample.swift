/// Totals since the start of the program. The difference of two samples gives rates.
package struct TrafficSample: Sendable, Equatable {
    /// PUBLISH packets from devices.
    package var messagesUp: UInt64 = 0
    /// PUBLISH packets to devices.
    package var messagesDown: UInt64 = 0
    /// Bytes of MQTT from devices.
    package var bytesUp: UInt64 = 0
    /// Bytes of MQTT to devices.
    package var bytesDown: UInt64 = 0
    /// From a device's PUBLISH of QoS 1 or 2 to the broker's acknowledgement.
    package var acknowledgement = DurationHistogram()
    /// The devices at the moment of the sample, not since the start.
    package var devices = DeviceCounts()

    package init() {}
}
