import NIOCore

/// SUBACK (MQTT 5 3.9).
package struct Suback: Sendable, Equatable {
    /// Never 0.
    package var packetID: UInt16
    /// MQTT 5 3.9.2.1.
    package var properties: Properties
    /// The result for each filter of the SUBSCRIBE, in its order.
    package var codes: [UInt8]

    package init(packetID: UInt16, properties: Properties = [], codes: [UInt8]) {
        self.packetID = packetID
        self.properties = properties
        self.codes = codes
    }
}

extension Suback {
    /// - Parameter isLenient: Any codes pass, or none.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Suback {
        var reader = try PacketReader(frame, as: .suback, version: version, isLenient: isLenient)
        let packetID = try reader.packetID(.packetIDOfAcknowledged)
        let properties = try reader.properties()
        let codes = try reader.reasonCodes(.subackCount)
        return Suback(packetID: packetID, properties: properties, codes: codes)
    }

    /// The whole packet.
    ///
    /// - Throws: If the packet identifier is 0, the list is empty, or a value is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.suback, version: version)
        try writer.write(packetID: packetID, .packetIDOfAcknowledged)
        try writer.write(properties)
        try writer.write(reasonCodes: codes, .subackCount)
        return try writer.finish()
    }
}
