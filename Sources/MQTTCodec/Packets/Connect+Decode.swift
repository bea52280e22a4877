import NIOCore

extension Connect {
    /// - Parameter isLenient: Only what cannot be expressed in a `Connect` is an error. What has no place in it, such
    ///   as reserved flags and bytes after the last field, is left out.
    /// - Throws: If the packet is malformed, or of a version other than 3.1, 3.1.1 and 5.0 (`.unsupportedVersion`).
    ///   What is well-formed but for the broker to refuse passes, such as a client identifier of any length, even an
    ///   empty one.
    package static func decode(_ frame: Frame, isLenient: Bool = false) throws(MQTTError) -> Connect {
        var reader = try PacketReader(frame, as: .connect, version: .v5_0, isLenient: isLenient)
        if !isLenient, frame.flags != 0 {
            throw reader.malformed(.reservedFlags(of: .connect), "reserved flags of the first byte are not 0")
        }
        let (version, isBridge) = try protocolVersion(&reader)
        reader.version = version
        if version.hasProperties, !isLenient { try frame.checkShortestLength() }

        let flags = ConnectFlags(rawValue: try reader.uint8("connect flags"))
        if !isLenient { try flags.check(reader) }
        let keepAlive = try reader.uint16("keep alive")
        let properties = try reader.properties()
        guard isLenient || properties.authenticationData == nil || properties.authenticationMethod != nil else {
            throw reader.protocolError(.authenticationDataAlone, "authentication data without a method")
        }
        let clientID = try reader.string("client identifier")
        let will = flags.contains(.will) ? try Will.decode(from: &reader, flags) : nil
        let username = flags.contains(.userName) && !isLeftOut(reader) ? try reader.string("user name") : nil
        let password = flags.contains(.password) && !isLeftOut(reader) ? try reader.binaryData("password") : nil
        try reader.finish()
        return Connect(
            version: version, cleanStart: flags.contains(.cleanStart), keepAlive: keepAlive, clientID: clientID,
            will: will, username: username, password: password, properties: properties, isBridge: isBridge)
    }

    /// Reads the protocol name and level. The bit that bridges set in the level is returned separately.
    private static func protocolVersion(
        _ reader: inout PacketReader
    ) throws(MQTTError) -> (MQTTVersion, isBridge: Bool) {
        let name = try reader.binaryData("protocol name").readableBytesView
        let level = try reader.uint8("protocol level")
        let isBridge = level & 0x80 != 0
        let version = MQTTVersion(rawValue: level & 0x7F)
        let isOld = name.elementsEqual(MQTTVersion.v3_1.protocolName.utf8)
        guard isOld || name.elementsEqual(MQTTVersion.v3_1_1.protocolName.utf8) else {
            throw MQTTError(.unsupportedVersion, .protocolName, .v5_0, "CONNECT: protocol name is not MQTT")
        }
        guard let version, isOld == (version == .v3_1) else {
            throw MQTTError(.unsupportedVersion, .protocolLevel, .v5_0, "CONNECT: protocol level \(level) is not known")
        }
        return (version, isBridge)
    }

    /// In 3.1, the end of the packet counts more than the flags of user name and password (MQTT 3.1 3.1).
    private static func isLeftOut(_ reader: PacketReader) -> Bool { reader.version == .v3_1 && reader.isAtEnd }
}

extension Will {
    fileprivate static func decode(from reader: inout PacketReader, _ flags: ConnectFlags) throws(MQTTError) -> Will {
        guard let qos = QoS(rawValue: flags.willQoS) else { throw reader.malformed(.willQoS, "will QoS 3") }
        let properties = try reader.properties(isWill: true)
        let topic = try reader.string("will topic")
        if !reader.isLenient {
            try TopicName.validate(topic, "CONNECT: will topic", wildcard: .wildcardInName, reader.version)
        }
        let payload = try reader.binaryData("will payload")
        return Will(
            topic: topic, payload: payload, qos: qos, retain: flags.contains(.willRetain), properties: properties)
    }
}
