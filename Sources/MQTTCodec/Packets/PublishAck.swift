import NIOCore

/// PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5 3.4 to 3.7), which have the same form.
package struct PublishAck: Sendable, Equatable {
    /// Never 0.
    package var packetID: UInt16
    /// Always 0 in 3.1 and 3.1.1, which have no reason codes.
    package var reasonCode: UInt8
    /// MQTT 5 3.4.2.2.
    package var properties: Properties

    package init(packetID: UInt16, reasonCode: UInt8 = 0, properties: Properties = []) {
        self.packetID = packetID
        self.reasonCode = reasonCode
        self.properties = properties
    }
}

extension PublishAck {
    /// Reads a PUBACK, PUBREC, PUBREL or PUBCOMP, whichever `frame` is.
    ///
    /// - Throws: If the packet is malformed, breaks a rule of its version, or is of another type.
    package static func decode(_ frame: Frame, version: MQTTVersion) throws(MQTTError) -> PublishAck {
        guard isAcknowledgement(frame.type) else {
            throw MQTTError(.protocolError, .section(of: .puback), version, "\(frame.type) instead of PUBACK")
        }
        var reader = try PacketReader(frame, as: frame.type, version: version)
        var ack = PublishAck(packetID: try reader.packetID(.packetIDOfAcknowledged))
        (ack.reasonCode, ack.properties) = try reader.omissibleReason()
        try reader.finish()
        return ack
    }

    /// The whole packet, in its shortest form.
    ///
    /// - Precondition: `type` is PUBACK, PUBREC, PUBREL or PUBCOMP.
    /// - Throws: If the packet identifier is 0, or a property is not allowed or cannot be encoded.
    package func encode(as type: PacketType, version: MQTTVersion) throws(MQTTError) -> ByteBuffer {
        precondition(Self.isAcknowledgement(type), "\(type) is no acknowledgement of a PUBLISH")
        var writer = PacketWriter(type, version: version)
        try writer.write(packetID: packetID, .packetIDOfAcknowledged)
        try writer.writeOmissible(reasonCode, properties)
        return try writer.finish()
    }

    private static func isAcknowledgement(_ type: PacketType) -> Bool {
        switch type {
        case .puback, .pubrec, .pubrel, .pubcomp: true
        case .connect, .connack, .publish, .subscribe, .suback, .unsubscribe, .unsuback, .pingreq, .pingresp,
            .disconnect, .auth:
            false
        }
    }
}
