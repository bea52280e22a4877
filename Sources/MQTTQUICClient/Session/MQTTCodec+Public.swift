import MQTTCodec
import NIOCore

// The packets' types on one side, and those that the application sees on the other.

extension MQTTVersion {
    var codec: MQTTCodec.MQTTVersion {
        switch self {
        case .v3_1_1: .v3_1_1
        case .v5_0: .v5_0
        }
    }
}

extension MQTTQoS {
    var codec: QoS {
        switch self {
        case .atMostOnce: .atMostOnce
        case .atLeastOnce: .atLeastOnce
        case .exactlyOnce: .exactlyOnce
        }
    }

    init(_ qos: QoS) {
        self =
            switch qos {
            case .atMostOnce: .atMostOnce
            case .atLeastOnce: .atLeastOnce
            case .exactlyOnce: .exactlyOnce
            }
    }
}

extension Duration {
    /// In whole seconds, rounded up; what does not fit becomes 0 or the greatest number.
    func wholeSeconds<Number: FixedWidthInteger>(as type: Number.Type = Number.self) -> Number {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Number(clamping: attoseconds > 0 && seconds < .max ? seconds + 1 : seconds)
    }
}

extension Properties {
    mutating func append(_ userProperties: [MQTTUserProperty]) {
        for property in userProperties { append(.userProperty(name: property.name, value: property.value)) }
    }

    var publicUserProperties: [MQTTUserProperty] { userProperties.map { MQTTUserProperty($0.name, $0.value) } }
}

extension MQTTMessageProperties {
    var codec: Properties {
        var properties = Properties()
        if let payloadFormat { properties.payloadFormatIndicator = payloadFormat == .text }
        properties.messageExpiryInterval = expiry?.wholeSeconds()
        properties.contentType = contentType
        properties.responseTopic = responseTopic
        properties.correlationData = correlationData
        properties.append(userProperties)
        return properties
    }

    init(_ properties: Properties) {
        payloadFormat = properties.payloadFormatIndicator.map { $0 ? .text : .bytes }
        expiry = properties.messageExpiryInterval.map { .seconds(Int64($0)) }
        contentType = properties.contentType
        responseTopic = properties.responseTopic
        correlationData = properties.correlationData
        userProperties = properties.publicUserProperties
        subscriptionIdentifiers = properties.subscriptionIdentifiers.filter {
            $0 < SubscriptionTable.firstOwnIdentifier
        }
    }
}

extension MQTTMessage {
    /// The message of a PUBLISH.
    package init(_ head: PublishHead, payload: ByteBuffer) {
        self.init(
            topic: head.topic, payload: payload, qos: MQTTQoS(head.qos), isRetained: head.retain,
            properties: MQTTMessageProperties(head.properties))
        isDuplicate = head.isDuplicate
        packetID = head.packetID
    }

    /// The head of a PUBLISH with the message.
    package func head(packetID: UInt16?, isDuplicate: Bool) -> PublishHead {
        PublishHead(
            isDuplicate: isDuplicate, qos: qos.codec, retain: isRetained, topic: topic, packetID: packetID,
            properties: properties.codec)
    }
}

extension MQTTSubscription {
    var codec: Subscription {
        Subscription(
            filter: filter, qos: qos.codec, noLocal: noLocal, retainAsPublished: retainAsPublished,
            retainHandling: retainHandling.rawValue)
    }
}

extension MQTTReasonCode {
    /// A return code of a CONNACK of 3.1.1, or the code of a broker that refuses MQTT 5 that way (MQTT 3.1.1 3.2.2.3).
    static func ofReturnCode(_ code: UInt8) -> Self {
        switch code {
        case 0: .success
        case 1: .unsupportedProtocolVersion
        case 2: .clientIdentifierNotValid
        case 3: .serverUnavailable
        case 4: .badUserNameOrPassword
        case 5: .notAuthorized
        default: Self(rawValue: code)
        }
    }
}

extension MQTTBrokerLimits {
    init(_ properties: Properties) {
        receiveMaximum = properties.receiveMaximum ?? .max
        maximumQoS = properties.maximumQoS.map(MQTTQoS.init) ?? .exactlyOnce
        isRetainAvailable = properties.retainAvailable ?? true
        maximumPacketSize = properties.maximumPacketSize.map(Int.init)
        hasWildcardSubscriptions = properties.wildcardSubscriptionAvailable ?? true
        hasSubscriptionIdentifiers = properties.subscriptionIdentifiersAvailable ?? true
        hasSharedSubscriptions = properties.sharedSubscriptionAvailable ?? true
        sessionExpiry = properties.sessionExpiryInterval.map { .seconds(Int64($0)) }
    }
}
