import NIOCore

/// One property of an MQTT 5 packet (MQTT 5 2.2.2.2).
package enum Property: Sendable, Equatable {
    /// Whether the payload is UTF-8 text.
    case payloadFormatIndicator(Bool)
    /// In seconds.
    case messageExpiryInterval(UInt32)
    case contentType(String)
    case responseTopic(String)
    case correlationData(ByteBuffer)
    /// 1...268 435 455.
    case subscriptionIdentifier(UInt32)
    /// In seconds; `UInt32.max` means that the session never expires.
    case sessionExpiryInterval(UInt32)
    case assignedClientIdentifier(String)
    /// In seconds.
    case serverKeepAlive(UInt16)
    case authenticationMethod(String)
    case authenticationData(ByteBuffer)
    case requestProblemInformation(Bool)
    /// In seconds.
    case willDelayInterval(UInt32)
    case requestResponseInformation(Bool)
    case responseInformation(String)
    case serverReference(String)
    case reasonString(String)
    /// Not 0.
    case receiveMaximum(UInt16)
    case topicAliasMaximum(UInt16)
    /// Not 0.
    case topicAlias(UInt16)
    /// 0 or 1.
    case maximumQoS(QoS)
    case retainAvailable(Bool)
    case userProperty(name: String, value: String)
    /// The length of a whole packet in bytes. Not 0.
    case maximumPacketSize(UInt32)
    case wildcardSubscriptionAvailable(Bool)
    case subscriptionIdentifiersAvailable(Bool)
    case sharedSubscriptionAvailable(Bool)
    /// The bytes of a property, including the identifier, that is not allowed here, is a repetition or has a value out
    /// of range; or all bytes from a property on that is unknown or cut off. Only a lenient reading yields this.
    case unread(ByteBuffer)

    /// `nil` for an unread property.
    var identifier: PropertyIdentifier? {
        switch self {
        case .unread: nil
        case .payloadFormatIndicator: .payloadFormatIndicator
        case .messageExpiryInterval: .messageExpiryInterval
        case .contentType: .contentType
        case .responseTopic: .responseTopic
        case .correlationData: .correlationData
        case .subscriptionIdentifier: .subscriptionIdentifier
        case .sessionExpiryInterval: .sessionExpiryInterval
        case .assignedClientIdentifier: .assignedClientIdentifier
        case .serverKeepAlive: .serverKeepAlive
        case .authenticationMethod: .authenticationMethod
        case .authenticationData: .authenticationData
        case .requestProblemInformation: .requestProblemInformation
        case .willDelayInterval: .willDelayInterval
        case .requestResponseInformation: .requestResponseInformation
        case .responseInformation: .responseInformation
        case .serverReference: .serverReference
        case .reasonString: .reasonString
        case .receiveMaximum: .receiveMaximum
        case .topicAliasMaximum: .topicAliasMaximum
        case .topicAlias: .topicAlias
        case .maximumQoS: .maximumQoS
        case .retainAvailable: .retainAvailable
        case .userProperty: .userProperty
        case .maximumPacketSize: .maximumPacketSize
        case .wildcardSubscriptionAvailable: .wildcardSubscriptionAvailable
        case .subscriptionIdentifiersAvailable: .subscriptionIdentifiersAvailable
        case .sharedSubscriptionAvailable: .sharedSubscriptionAvailable
        }
    }
}
