import NIOCore

/// AUTH (MQTT 5 3.15), which 3.1 and 3.1.1 do not have.
package struct Auth: Sendable, Equatable {
    /// 0x00, 0x18 or 0x19 (MQTT 5 3.15.2.1).
    package var reasonCode: UInt8
    /// MQTT 5 3.15.2.2.
    package var properties: Properties

    package init(reasonCode: UInt8 = 0, properties: Properties = []) {
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

extension Auth {
    /// - Throws: If the packet is malformed or breaks a rule of its version.
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Auth {
        var reader = try PacketReader(frame, as: .auth, version: version)
        guard version.hasProperties else { throw reader.malformed(.packetType, "does not exist before MQTT 5") }
        // Success without properties may be left out (MQTT 5 3.15.2.1).
        guard !reader.isAtEnd else { return Auth() }
        let reasonCode = try reader.reasonCode()
        let properties = try reader.properties()
        try reader.finish()
        guard properties.authenticationMethod != nil else {
            throw reader.protocolError(.authenticationMethodOmitted, "no authentication method")
        }
        return Auth(reasonCode: reasonCode, properties: properties)
    }

    /// The whole packet, in its shortest form.
    ///
    /// - Throws: Before MQTT 5, and if a property is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.auth, version: version)
        guard version.hasProperties else { throw writer.notEncodable(.packetType, "does not exist before MQTT 5") }
        if reasonCode != 0 || !properties.isEmpty {
            writer.write(reasonCode)
            try writer.write(properties)
        }
        return try writer.finish()
    }
}
