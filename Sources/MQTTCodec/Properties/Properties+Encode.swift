import NIOCore

extension Properties {
    /// The properties one after another, without Property Length.
    ///
    /// - Throws: If a property is not allowed in `holder`, or has a string or a value that cannot be encoded.
    func encode(for holder: PropertyHolder, in type: PacketType) throws(MQTTError) -> ByteBuffer {
        var writer = PacketWriter(section: type)
        for property in list {
            if case .unread(let bytes) = property {
                writer.write(bytes: bytes)
                continue
            }
            guard let identifier = property.identifier, holder.allows(identifier) else {
                throw writer.notEncodable(.properties, "property \(property.name) is not allowed here")
            }
            writer.write(identifier.rawValue)
            try writer.write(property)
        }
        return writer.section
    }
}

extension PacketWriter {
    fileprivate mutating func write(_ property: Property) throws(MQTTError) {
        switch property {
        case .payloadFormatIndicator(let value), .requestProblemInformation(let value),
            .requestResponseInformation(let value), .retainAvailable(let value),
            .wildcardSubscriptionAvailable(let value), .subscriptionIdentifiersAvailable(let value),
            .sharedSubscriptionAvailable(let value):
            write(UInt8(value ? 1 : 0))
        case .maximumQoS(let qos):
            guard qos != .exactlyOnce else { throw outOfRange(property) }
            write(qos.rawValue)
        case .topicAliasMaximum(let value), .serverKeepAlive(let value):
            write(value)
        case .receiveMaximum(let value), .topicAlias(let value):
            guard value != 0 else { throw outOfRange(property) }
            write(value)
        case .messageExpiryInterval(let value), .sessionExpiryInterval(let value), .willDelayInterval(let value):
            write(value)
        case .maximumPacketSize(let value):
            guard value != 0 else { throw outOfRange(property) }
            write(value)
        case .subscriptionIdentifier(let value):
            guard value != 0, value <= VariableByteInteger.maximum else { throw outOfRange(property) }
            write(variableByteInteger: Int(value))
        case .contentType(let value), .responseTopic(let value), .assignedClientIdentifier(let value),
            .authenticationMethod(let value), .responseInformation(let value), .serverReference(let value),
            .reasonString(let value):
            try write(value, property.name)
        case .correlationData(let value), .authenticationData(let value):
            try write(value, property.name)
        case .userProperty(let name, let value):
            try write(name, "a user property's name")
            try write(value, "a user property's value")
        case .unread(let bytes):
            write(bytes: bytes)
        }
    }

    private func outOfRange(_ property: Property) -> MQTTError {
        notEncodable(.properties, "\(property.name) is out of its range")
    }
}

extension Property {
    fileprivate var name: String { identifier.map { "\($0)" } ?? "unread" }
}
