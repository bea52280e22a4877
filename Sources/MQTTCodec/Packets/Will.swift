import NIOCore

/// What the broker publishes for a client whose connection ends without a proper DISCONNECT (MQTT 5 3.1.2.5).
package struct Will: Sendable, Equatable {
    /// The topic to publish to.
    package var topic: String
    /// At most 65 535 bytes.
    package var payload: ByteBuffer
    /// The QoS to publish with.
    package var qos: QoS
    /// Whether to publish it as a retained message.
    package var retain: Bool
    /// The will's own, not CONNECT's (MQTT 5 3.1.3.2).
    package var properties: Properties

    package init(
        topic: String, payload: ByteBuffer = ByteBuffer(), qos: QoS = .atMostOnce, retain: Bool = false,
        properties: Properties = []
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.properties = properties
    }
}
