import NIOCore

/// What the broker publishes for a client that vanishes (MQTT 5 3.1.2.5).
package struct Will: Sendable, Equatable {
    package var topic: String
    package var payload: ByteBuffer
    package var qos: QoS
    package var retain: Bool
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
