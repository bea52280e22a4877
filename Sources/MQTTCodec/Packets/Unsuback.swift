import NIOCore

/// UNSUBACK (MQTT 5 3.11).
package struct Unsuback: Sendable, Equatable {
    /// Never 0.
    package var packetID: UInt16
    /// MQTT 5 3.11.2.1.
    package var properties: Properties
    /// The result for each filter of the UNSUBSCRIBE, in its order. Empty in 3.1 and 3.1.1, which have no such results.
    package var codes: [UInt8]

    package init(packetID: UInt16, properties: Properties = [], codes: [UInt8] = []) {
        self.packetID = packetID
        self.properties = properties
        self.codes = codes
    }
}

extension Unsuback {
    /// - Parameter isLenient: Any codes pass, or none.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Unsuback {
        var reader = try PacketReader(frame, as: .unsuback, version: version, isLenient: isLenient)
        let packetID = try reader.packetID(.packetIDOfAcknowledged)
        guard version.hasProperties else {
            try reader.finish()
            return Unsuback(packetID: packetID)
        }
        let properties = try reader.properties()
        let codes = try reader.reasonCodes(.unsubackCount)
        return Unsuback(packetID: packetID, properties: properties, codes: codes)
    }

    /// The whole packet.
    ///
    /// - Throws: If the packet identifier is 0, the list is empty, or a value is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.unsuback, version: version)
        try writer.write(packetID: packetID, .packetIDOfAcknowledged)
        guard version.hasProperties else { return try writer.finish() }
        try writer.write(properties)
        try writer.write(reasonCodes: codes, .unsubackCount)
        return try writer.finish()
    }
}
