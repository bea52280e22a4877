import NIOCore

/// SUBACK (MQTT 5 3.9).
package struct Suback: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    package var properties: Properties
    /// One for each filter of the SUBSCRIBE, in its order.
    package var codes: [UInt8]

    package init(packetID: UInt16, properties: Properties = [], codes: [UInt8]) {
        self.packetID = packetID
        self.properties = properties
        self.codes = codes
    }
}

extension Suback {
    /// - Parameter isLenient: there may be any codes, or none.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Suback {
        var reader = try PacketReader(frame, as: .suback, version: version, isLenient: isLenient)
        let packetID = try reader.packetID(.packetIDOfAcknowledged)
        let properties = try reader.properties()
        let codes = try reader.reasonCodes(.subackCount)
        return Suback(packetID: packetID, properties: properties, codes: codes)
    }

    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.suback, version: version)
        try writer.write(packetID: packetID, .packetIDOfAcknowledged)
        try writer.write(properties)
        try writer.write(reasonCodes: codes, .subackCount)
        return try writer.finish()
    }
}
