/// Totals since the start of the program. The difference of two samples gives rates.
package struct TrafficSample: Sendable, Equatable {
    /// PUBLISH packets from devices and to them.
    package var messagesUp: UInt64 = 0
    package var messagesDown: UInt64 = 0
    /// Bytes of MQTT.
    package var bytesUp: UInt64 = 0
    package var bytesDown: UInt64 = 0
    /// From a device's PUBLISH of QoS 1 or 2 to the broker's acknowledgement.
    package var acknowledgement = DurationHistogram()
    /// As of now.
    package var devices = DeviceCounts()

    package init() {}
}
