import NIOCore

/// A message, to be published or received.
public struct MQTTMessage: Sendable, Equatable {
    public var topic: String
    public var payload: ByteBuffer
    public var qos: MQTTQoS
    /// To be published: the broker keeps it for later subscribers. Received: it had been kept.
    public var isRetained: Bool
    /// The broker may have sent this message before. It has no meaning for a message to be published.
    public var isDuplicate = false
    /// MQTT 5 only.
    public var properties: MQTTMessageProperties
    /// The identifier of the packet that a message was received in; `nil` with QoS 0. It has no meaning for a message to
    /// be published.
    package var packetID: UInt16?

    public init(
        topic: String, payload: ByteBuffer = ByteBuffer(), qos: MQTTQoS = .atMostOnce, isRetained: Bool = false,
        properties: MQTTMessageProperties = MQTTMessageProperties()
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        self.properties = properties
    }

    /// A message with a text.
    public init(
        topic: String, text: String, qos: MQTTQoS = .atMostOnce, isRetained: Bool = false,
        properties: MQTTMessageProperties = MQTTMessageProperties()
    ) {
        self.init(
            topic: topic, payload: ByteBuffer(string: text), qos: qos, isRetained: isRetained, properties: properties)
    }

    /// The payload as text; bytes that are not UTF-8 are replaced.
    public var text: String { String(buffer: payload) }
}
