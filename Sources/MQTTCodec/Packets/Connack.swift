import NIOCore

/// CONNACK (MQTT 5 3.2).
package struct Connack: Sendable, Equatable {
    package var sessionPresent: Bool
    /// A return code in 3.1 and 3.1.1 (0...5), a reason code in 5.0.
    package var code: UInt8
    package var properties: Properties

    package init(sessionPresent: Bool = false, code: UInt8 = 0, properties: Properties = []) {
        self.sessionPresent = sessionPresent
        self.code = code
        self.properties = properties
    }
}

extension Connack {
    /// - Throws: where the packet is malformed. In 3.1 and 3.1.1 an unknown return code is passed on: the device is
    ///   refused either way.
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> Connack {
        var reader = try PacketReader(frame, as: .connack, version: version)
        let flags = try reader.uint8("acknowledge flags")
        let code = try reader.uint8("reason code")
        // In 3.1 the flags are a reserved byte that nobody looks at.
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

    package func encode(version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.connack, version: version)
        writer.write(UInt8(sessionPresent && version != .v3_1 ? 1 : 0))
        writer.write(code)
        if !Self.isVersionRefusal(code, version) || !properties.isEmpty { try writer.write(properties) }
        return try writer.finish()
    }

    /// A broker that knows no MQTT 5 refuses it as 3.1.1 does: return code 1, and no properties (MQTT 3.1.1 3.2.2.3).
    private static func isVersionRefusal(_ code: UInt8, _ version: MQTTVersion) -> Bool {
        version.hasProperties && code == 1
    }
}
