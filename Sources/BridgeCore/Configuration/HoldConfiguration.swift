/// How devices are held while their uplink leg is being rebuilt.
package struct HoldConfiguration: Sendable, Equatable {
    package enum QoS0: String, Sendable, CaseIterable {
        /// Kept in order like the others, up to the bound; then nothing more is read from the device.
        case keep
        /// Kept as long as there is room; then the oldest make room for new messages.
        case dropOldest = "drop-oldest"
    }

    /// How long a device is held at most.
    package var time: Duration
    /// Bytes that are kept for one device: messages that the broker has not acknowledged, and what came since.
    package var buffer: Int
    /// Bytes that are kept for all devices together.
    package var totalBuffer: Int
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
