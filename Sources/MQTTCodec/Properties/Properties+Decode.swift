import NIOCore

extension PacketReader {
    /// Reads Property Length and properties (MQTT 5 2.2.2). Before MQTT 5 there are none, and nothing is read.
    ///
    /// - Parameter isWill: Whether these are the properties of the will inside CONNECT, not CONNECT's own.
    /// - Throws: If a property is unknown, is not allowed here, has a value out of range, or appears twice. A lenient
    ///   reading throws only if their length makes no sense.
    mutating func properties(isWill: Bool = false) throws(MQTTError) -> Properties {
        guard version.hasProperties, let holder = isWill ? .will : PropertyHolder(type) else { return [] }
        let length = try variableByteInteger("property length")
        guard length > 0 else { return [] }
        let section = try slice(length, "properties")
        var reader = PacketReader(
            section, type: type, version: version, end: .propertyLength, isLenient: isLenient)
        // The shortest property has two bytes.
        var list: [Property] = []
        list.reserveCapacity(min(length / 2, 4))
        var seen: UInt64 = 0
        while !reader.isAtEnd {
            let start = section.writerIndex - reader.remaining
            do throws(MQTTError) {
                list.append(try reader.nextProperty(of: holder, &seen))
            } catch {
                guard isLenient else { throw error }
                reader.rest(from: section, start)
                list.append(.unread(reader.unreadProperty()))
            }
        }
        return Properties(list)
    }

    private mutating func nextProperty(
        of holder: PropertyHolder, _ seen: inout UInt64
    ) throws(MQTTError) -> Property {
        let identifier = try propertyIdentifier()
        guard holder.allows(identifier) else {
            throw malformed(.properties, "property \(identifier) is not allowed here")
        }
        let bit: UInt64 = 1 << UInt64(identifier.rawValue)
        guard seen & bit == 0 || holder.allowsRepeated(identifier) else {
            throw protocolError(holder.clause(of: identifier), "property \(identifier) appears twice")
        }
        let property = try property(identifier, of: holder)
        seen |= bit
        return property
    }

    /// Takes the bytes of one property, or all that is left if its length is unknown.
    private mutating func unreadProperty() -> ByteBuffer {
        let rest = rest()
        guard let end = PropertyIdentifier(first: rest)?.end(in: rest),
            let property = rest.getSlice(at: rest.readerIndex, length: end - rest.readerIndex)
        else { return rest }
        self.rest(from: rest, end)
        return property
    }

    private mutating func propertyIdentifier() throws(MQTTError) -> PropertyIdentifier {
        let number = try variableByteInteger("property identifier")
        guard let identifier = UInt8(exactly: number).flatMap(PropertyIdentifier.init(rawValue:)) else {
            throw malformed(.properties, "there is no property \(number)")
        }
        return identifier
    }

    private mutating func property(
        _ identifier: PropertyIdentifier, of holder: PropertyHolder
    ) throws(MQTTError) -> Property {
        switch identifier {
        case .payloadFormatIndicator: .payloadFormatIndicator(try flag(identifier, holder))
        case .messageExpiryInterval: .messageExpiryInterval(try uint32("\(identifier)"))
        case .contentType: .contentType(try string("\(identifier)"))
        case .responseTopic: .responseTopic(try responseTopicValue())
        case .correlationData: .correlationData(try binaryData("\(identifier)"))
        case .subscriptionIdentifier:
            .subscriptionIdentifier(
                try notZero(UInt32(clamping: variableByteInteger("\(identifier)")), identifier, holder))
        case .sessionExpiryInterval: .sessionExpiryInterval(try uint32("\(identifier)"))
        case .assignedClientIdentifier: .assignedClientIdentifier(try string("\(identifier)"))
        case .serverKeepAlive: .serverKeepAlive(try uint16("\(identifier)"))
        case .authenticationMethod: .authenticationMethod(try string("\(identifier)"))
        case .authenticationData: .authenticationData(try binaryData("\(identifier)"))
        case .requestProblemInformation: .requestProblemInformation(try flag(identifier, holder))
        case .willDelayInterval: .willDelayInterval(try uint32("\(identifier)"))
        case .requestResponseInformation: .requestResponseInformation(try flag(identifier, holder))
        case .responseInformation: .responseInformation(try string("\(identifier)"))
        case .serverReference: .serverReference(try string("\(identifier)"))
        case .reasonString: .reasonString(try string("\(identifier)"))
        case .receiveMaximum: .receiveMaximum(try notZero(uint16("\(identifier)"), identifier, holder))
        case .topicAliasMaximum: .topicAliasMaximum(try uint16("\(identifier)"))
        case .topicAlias: .topicAlias(try notZero(uint16("\(identifier)"), identifier, holder))
        case .maximumQoS: .maximumQoS(try flag(identifier, holder) ? .atLeastOnce : .atMostOnce)
        case .retainAvailable: .retainAvailable(try flag(identifier, holder))
        case .userProperty:
            .userProperty(name: try string("a user property's name"), value: try string("a user property's value"))
        case .maximumPacketSize: .maximumPacketSize(try notZero(uint32("\(identifier)"), identifier, holder))
        case .wildcardSubscriptionAvailable: .wildcardSubscriptionAvailable(try flag(identifier, holder))
        case .subscriptionIdentifiersAvailable: .subscriptionIdentifiersAvailable(try flag(identifier, holder))
        case .sharedSubscriptionAvailable: .sharedSubscriptionAvailable(try flag(identifier, holder))
        }
    }

    /// Reads a byte that must be 0 or 1.
    private mutating func flag(_ identifier: PropertyIdentifier, _ holder: PropertyHolder) throws(MQTTError) -> Bool {
        let value = try uint8("\(identifier)")
        guard value <= 1 else {
            throw protocolError(holder.clause(of: identifier), "\(identifier) is \(value), not 0 or 1")
        }
        return value == 1
    }

    private func notZero<Integer: FixedWidthInteger>(
        _ value: Integer, _ identifier: PropertyIdentifier, _ holder: PropertyHolder
    ) throws(MQTTError) -> Integer {
        guard value != 0 else {
            let clause = holder.clause(of: identifier)
            guard identifier == .topicAlias else { throw protocolError(clause, "\(identifier) is 0") }
            throw MQTTError(.topicAliasInvalid, clause, version, "\(type): \(identifier) is 0")
        }
        return value
    }

    private mutating func responseTopicValue() throws(MQTTError) -> String {
        let topic = try string("response topic")
        try TopicName.validate(topic, "\(type): response topic", wildcard: .responseTopicWildcard, version)
        return topic
    }
}
