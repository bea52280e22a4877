/// A PUBLISH without its payload (MQTT 5 3.3).
package struct PublishHead: Sendable, Equatable {
    package var isDuplicate: Bool
    package var qos: QoS
    package var retain: Bool
    /// Empty only in 5.0, where a topic alias stands for it.
    package var topic: String
    /// Not 0; `nil` at QoS 0 only.
    package var packetID: UInt16?
    package var properties: Properties

    package init(
        isDuplicate: Bool = false, qos: QoS = .atMostOnce, retain: Bool = false, topic: String,
        packetID: UInt16? = nil, properties: Properties = []
    ) {
        self.isDuplicate = isDuplicate
        self.qos = qos
        self.retain = retain
        self.topic = topic
        self.packetID = packetID
        self.properties = properties
    }
}
