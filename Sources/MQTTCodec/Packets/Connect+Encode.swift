import NIOCore

extension Connect {
    /// The whole packet.
    ///
    /// - Throws: If a field is longer than 65 535 bytes, if a property is not allowed or cannot be encoded, or if there
    ///   is a password but no user name in 3.1.1 ([MQTT-3.1.2-22]).
    package func encode() throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(.connect, version: version, capacity: 123)
        guard version != .v3_1_1 || username != nil || password == nil else {
            throw writer.notEncodable(.passwordWithoutUserName, "a password without a user name")
        }
        try writer.write(version.protocolName, "protocol name")
        writer.write(version.rawValue | (isBridge ? 0x80 : 0))
        writer.write(flags.rawValue)
        writer.write(keepAlive)
        try writer.write(properties)
        try writer.write(clientID, "client identifier")
        if let will {
            try writer.write(will.properties, isWill: true)
            try writer.write(will.topic, "will topic")
            try writer.write(will.payload, "will payload")
        }
        if let username { try writer.write(username, "user name") }
        if let password { try writer.write(password, "password") }
        return try writer.finish()
    }

    private var flags: ConnectFlags {
        var flags: ConnectFlags = []
        if cleanStart { flags.insert(.cleanStart) }
        if let will {
            flags.insert(.will)
            flags.willQoS = will.qos.rawValue
            if will.retain { flags.insert(.willRetain) }
        }
        if username != nil { flags.insert(.userName) }
        if password != nil { flags.insert(.password) }
        return flags
    }
}
