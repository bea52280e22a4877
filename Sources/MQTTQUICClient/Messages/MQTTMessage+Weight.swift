extension MQTTMessage {
    /// What a message without topic, payload and properties counts for.
    private static let leastWeight = 256
    /// What a user property without name and value counts for.
    private static let leastPropertyWeight = 64

    /// About how many bytes of memory the message takes. The limits count this rather than the payload, because a
    /// message may consist of properties alone.
    package var weight: Int {
        let parts = [
            payload.readableBytes, topic.utf8.count, properties.contentType?.utf8.count ?? 0,
            properties.responseTopic?.utf8.count ?? 0, properties.correlationData?.readableBytes ?? 0,
            properties.subscriptionIdentifiers.count * MemoryLayout<UInt32>.size,
        ]
        let userProperties = properties.userProperties.reduce(0) { sum, property in
            sum + Self.leastPropertyWeight + property.name.utf8.count + property.value.utf8.count
        }
        return parts.reduce(Self.leastWeight + userProperties, +)
    }
}
