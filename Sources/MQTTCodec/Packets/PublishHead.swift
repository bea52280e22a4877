import NIOCore

/// A PUBLISH without its payload (MQTT 5 3.3).
package struct PublishHead: Sendable, Equatable {
    /// DUP: an attempt to deliver the message again (MQTT 5 3.3.1.1).
    package var isDuplicate: Bool
    /// MQTT 5 3.3.1.2.
    package var qos: QoS
    /// RETAIN (MQTT 5 3.3.1.3).
    package var retain: Bool
    /// Empty only in 5.0, if a topic alias stands for it.
    package var topic: String
    /// Never 0. `nil` only at QoS 0.
    package var packetID: UInt16?
    /// MQTT 5 3.3.2.3.
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

extension PublishHead {
    /// - Parameter isLenient: Only what cannot be expressed in a `PublishHead` is an error.
    /// - Returns: The head, and the payload as a slice of the frame.
    /// - Throws: If the head is malformed.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> (PublishHead, payload: ByteBuffer) {
        var reader = try PacketReader(frame, as: .publish, version: version, isLenient: isLenient)
        let head = try decode(flags: frame.flags, from: &reader)
        return (head, payload: reader.rest())
    }

    /// Reads a head whose payload comes separately, in pieces.
    ///
    /// - Throws: If the head is malformed.
    package static func decode(
        head: ByteBuffer, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> PublishHead {
        let reading: Reading = isLenient ? .lenient : .strict
        guard let header = try FixedHeader.parse(head, version: version, reading: reading), header.type == .publish
        else {
            throw MQTTError(.malformed, .section(of: .publish), version, "PUBLISH: ends before its head does")
        }
        var reader = PacketReader(
            head.getSlice(at: head.readerIndex + header.length, length: head.readableBytes - header.length)
                ?? ByteBuffer(), type: .publish, version: version, isLenient: isLenient)
        return try decode(flags: header.flags, from: &reader)
    }

    /// Reads the variable header and leaves `reader` where the payload begins.
    static func decode(flags: UInt8, from reader: inout PacketReader) throws(MQTTError) -> PublishHead {
        guard let qos = QoS(rawValue: flags >> 1 & 0b11) else {
            throw reader.malformed(.publishQoS, "QoS 3 does not exist")
        }
        let topic = try reader.string("topic name")
        let packetID = qos == .atMostOnce ? nil : try reader.packetID(.packetIDNotZero)
        let properties = try reader.properties()
        let head = PublishHead(
            isDuplicate: flags & 0b1000 != 0, qos: qos, retain: flags & 1 != 0, topic: topic, packetID: packetID,
            properties: properties)
        if !reader.isLenient { try head.checkTopic(reader.version) }
        return head
    }

    private func checkTopic(_ version: MQTTVersion) throws(MQTTError) {
        if !topic.isEmpty || !version.hasProperties {
            try TopicName.validate(topic, "PUBLISH: topic name", wildcard: .publishTopicWildcard, version)
        } else if properties.topicAlias == nil {
            throw MQTTError(
                .protocolError, .emptyTopicWithoutAlias, version, "PUBLISH: neither a topic name nor a topic alias")
        }
    }

    /// Checks a message that was read leniently for what topic rules have to know: its topic and its response topic.
    ///
    /// - Throws: If either, or a topic alias, makes no sense.
    package func checkTopics(_ version: MQTTVersion) throws(MQTTError) {
        guard !properties.hasUnread(.topicAlias) else {
            throw MQTTError(.topicAliasInvalid, .topicAlias, version, "PUBLISH: its topic alias makes no sense")
        }
        guard !properties.hasUnread(.responseTopic) else {
            throw MQTTError(.protocolError, .responseTopicWildcard, version, "PUBLISH: its response topic is no topic")
        }
        try checkTopic(version)
    }

    /// The fixed header and the variable header. The payload, of `payloadLength` bytes, has to be sent after them.
    ///
    /// At QoS 0, DUP and the packet identifier are left out, because they have no meaning there.
    /// - Throws: If a string is longer than 65 535 bytes, if the remaining length would be more than 268 435 455, or if
    ///   the topic or the packet identifier is missing.
    package func encode(version: MQTTVersion, payloadLength: Int) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.publish, version: version, capacity: topic.utf8.count + 59)
        guard !topic.isEmpty || (version.hasProperties && properties.topicAlias != nil) else {
            throw writer.notEncodable(.emptyTopicWithoutAlias, "topic name is empty")
        }
        try writer.write(topic, "topic name")
        if qos != .atMostOnce { try writer.write(packetID: packetID ?? 0) }
        try writer.write(properties)
        let duplicate = isDuplicate && qos != .atMostOnce
        let flags = (duplicate ? 0b1000 : 0) | qos.rawValue << 1 | (retain ? 1 : 0)
        return try writer.finish(flags: flags, payloadLength: payloadLength)
    }
}
