import NIOCore

/// DISCONNECT (MQTT 5 3.14).
package struct Disconnect: Sendable, Equatable {
    /// Always 0 in 3.1 and 3.1.1, which have no reason codes.
    package var reasonCode: UInt8
    /// MQTT 5 3.14.2.2.
    package var properties: Properties

    package init(reasonCode: UInt8 = 0, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

extension Disconnect {
    /// A reason code from 0x80 on passes even if the specification does not list it, because the connection ends
    /// anyway.
    ///
    /// - Parameter isLenient: Every reason code passes, and what has no place in a `Disconnect` is left out.
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(
        _ frame: Frame, version: MQTTVersion, isLenient: Bool = false
    ) throws(MQTTError) -> Disconnect {
        var reader = try PacketReader(frame, as: .disconnect, version: version, isLenient: isLenient)
        let (reasonCode, properties) = try reader.omissibleReason()
        try reader.finish()
        return Disconnect(reasonCode: reasonCode, properties: properties)
    }

    /// The whole packet, in its shortest form.
    ///
    /// - Throws: If a property is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.disconnect, version: version)
        try writer.writeOmissible(reasonCode, properties)
        return try writer.finish()
    }
}
