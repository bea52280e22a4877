import NIOCore

/// UNSUBSCRIBE (MQTT 5 3.10).
package struct Unsubscribe: Sendable, Equatable {
    /// Never 0.
    package var packetID: UInt16
    /// MQTT 5 3.10.2.1.
    package var properties: Properties
    /// At least one.
    package var filters: [String]

    package init(packetID: UInt16, properties: Properties = [], filters: [String]) {
        self.packetID = packetID
        self.properties = properties
        self.filters = filters
    }
}

extension Unsubscribe {
    /// - Parameter isLenient: Only what cannot be expressed in an `Unsubscribe` is an error. There may be no filter at
    ///   all.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Unsubscribe {
        var reader = try PacketReader(frame, as: .unsubscribe, version: version, isLenient: isLenient)
        let packetID = try reader.packetID(.packetIDNotZero)
        let properties = try reader.properties()
        var filters: [String] = []
        while !reader.isAtEnd {
            let filter = try reader.string("topic filter")
            if !isLenient { try TopicFilter.validate(filter, "UNSUBSCRIBE: topic filter", version) }
            filters.append(filter)
        }
        guard !filters.isEmpty || isLenient else { throw reader.protocolError(.unsubscribeEmpty, "no topic filter") }
        return Unsubscribe(packetID: packetID, properties: properties, filters: filters)
    }

    /// The whole packet.
    ///
    /// - Throws: If the packet identifier is 0, the list is empty, or a value is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.unsubscribe, version: version)
        try writer.write(packetID: packetID)
        try writer.write(properties)
        guard !filters.isEmpty else { throw writer.notEncodable(.unsubscribeEmpty, "no topic filter") }
        for filter in filters { try writer.write(filter, "topic filter") }
        return try writer.finish()
    }
}
