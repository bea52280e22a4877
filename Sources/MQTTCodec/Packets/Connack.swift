import NIOCore

/// CONNACK (MQTT 5 3.2).
package struct Connack: Sendable, Equatable {
    /// Whether the broker continues an earlier session. Always false in 3.1.
    package var sessionPresent: Bool
    /// A return code in 3.1 and 3.1.1 (0...5), a reason code in 5.0.
    package var code: UInt8
    /// MQTT 5 3.2.2.3.
    package var properties: Properties

    package init(sessionPresent: Bool = false, code: UInt8 = 0, properties: Properties = []) {
        self.sessionPresent = sessionPresent
        self.code = code
        self.properties = properties
    }
}

extension Connack {
    /// - Throws: If the packet is malformed or breaks a rule of its version. In 3.1 and 3.1.1 an unknown return code is
    ///   accepted, because the device is refused anyway.
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Connack {
        var reader = try PacketReader(frame, as: .connack, version: version)
        let flags = try reader.uint8("acknowledge flags")
        let code = try reader.uint8("reason code")
        // In 3.1 the flags are a reserved byte, which is ignored.
        guard flags <= 1 || version == .v3_1 else {
            throw reader.malformed(.connackFlags, "reserved acknowledge flags are not 0")
        }
        let sessionPresent = flags == 1 && version != .v3_1
        guard !sessionPresent || code == 0 else {
            throw reader.protocolError(.sessionPresentRefused, "session present in a refusal")
        }
        if isVersionRefusal(code, version), reader.isAtEnd { return Connack(code: code) }
        guard !version.hasProperties || code == 0 || code >= 0x80 else {
            throw reader.malformed(.connackReasonCode, "reason code \(hexadecimal(code)) does not exist")
        }
        let properties = try reader.properties()
        try reader.finish()
        return Connack(sessionPresent: sessionPresent, code: code, properties: properties)
    }

    /// The whole packet.
    ///
    /// - Throws: If a property is not allowed or cannot be encoded.
    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.connack, version: version)
        writer.write(UInt8(sessionPresent && version != .v3_1 ? 1 : 0))
        writer.write(code)
        if !Self.isVersionRefusal(code, version) || !properties.isEmpty { try writer.write(properties) }
        return try writer.finish()
    }

    /// A broker that does not speak MQTT 5 refuses it like 3.1.1: return code 1, and no properties (MQTT 3.1.1
    /// 3.2.2.3).
    private static func isVersionRefusal(_ code: UInt8, _ version: MQTTVersion) -> Bool {
        version.hasProperties && code == 1
    }
}
