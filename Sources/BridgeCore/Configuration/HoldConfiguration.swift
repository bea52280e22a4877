/// How devices are held while their uplink leg is being rebuilt.
package struct HoldConfiguration: Sendable, Equatable {
    /// What happens to messages at QoS 0 from a held device.
    package enum QoS0: String, Sendable, CaseIterable {
        /// They are kept in order like the others. When the buffer is full, nothing more is read from the device.
        case keep
        /// They are kept, and when the buffer is full, the oldest ones are dropped.
        case dropOldest = "drop-oldest"
    }

    /// The longest time that a device is held.
    package var time: Duration
    /// The limit on the bytes that are kept for one device: the messages that the broker has not acknowledged, and what
    /// the device has sent since.
    package var buffer: Int
    /// The limit on the bytes that are kept for all devices together.
    package var totalBuffer: Int
    /// What happens to messages at QoS 0 from a held device.
    package var qos0: QoS0

    package init(
        time: Duration = .seconds(300), buffer: Int = 1_048_576, totalBuffer: Int = 67_108_864, qos0: QoS0 = .keep
    ) {
        self.time = time
        self.buffer = buffer
        self.totalBuffer = totalBuffer
        self.qos0 = qos0
    }
}
