import NIOCore

/// A name for each property. Reading a property that is absent gives `nil`, never the default that the specification
/// assigns to its absence. Writing replaces the property in its place or adds it at the end. Writing `nil` removes it.
extension Properties {
    /// Whether the payload is UTF-8 text.
    package var payloadFormatIndicator: Bool? {
        get { first { if case .payloadFormatIndicator(let value) = $0 { value } else { nil } } }
        set { set(.payloadFormatIndicator, newValue.map { .payloadFormatIndicator($0) }) }
    }

    /// In seconds.
    package var messageExpiryInterval: UInt32? {
        get { first { if case .messageExpiryInterval(let value) = $0 { value } else { nil } } }
        set { set(.messageExpiryInterval, newValue.map { .messageExpiryInterval($0) }) }
    }

    /// A MIME type, for example.
    package var contentType: String? {
        get { first { if case .contentType(let value) = $0 { value } else { nil } } }
        set { set(.contentType, newValue.map { .contentType($0) }) }
    }

    /// The topic for an answer to the message.
    package var responseTopic: String? {
        get { first { if case .responseTopic(let value) = $0 { value } else { nil } } }
        set { set(.responseTopic, newValue.map { .responseTopic($0) }) }
    }

    /// Tells the sender of a request which one an answer is for.
    package var correlationData: ByteBuffer? {
        get { first { if case .correlationData(let value) = $0 { value } else { nil } } }
        set { set(.correlationData, newValue.map { .correlationData($0) }) }
    }

    /// In seconds; `UInt32.max` means that the session never expires.
    package var sessionExpiryInterval: UInt32? {
        get { first { if case .sessionExpiryInterval(let value) = $0 { value } else { nil } } }
        set { set(.sessionExpiryInterval, newValue.map { .sessionExpiryInterval($0) }) }
    }

    /// The client identifier that the broker chose because CONNECT had none.
    package var assignedClientIdentifier: String? {
        get { first { if case .assignedClientIdentifier(let value) = $0 { value } else { nil } } }
        set { set(.assignedClientIdentifier, newValue.map { .assignedClientIdentifier($0) }) }
    }

    /// In seconds.
    package var serverKeepAlive: UInt16? {
        get { first { if case .serverKeepAlive(let value) = $0 { value } else { nil } } }
        set { set(.serverKeepAlive, newValue.map { .serverKeepAlive($0) }) }
    }

    /// The name of the enhanced authentication (MQTT 5 4.12).
    package var authenticationMethod: String? {
        get { first { if case .authenticationMethod(let value) = $0 { value } else { nil } } }
        set { set(.authenticationMethod, newValue.map { .authenticationMethod($0) }) }
    }

    /// Its meaning depends on the method (MQTT 5 4.12).
    package var authenticationData: ByteBuffer? {
        get { first { if case .authenticationData(let value) = $0 { value } else { nil } } }
        set { set(.authenticationData, newValue.map { .authenticationData($0) }) }
    }

    /// Whether the broker may send Reason Strings and User Properties with failures.
    package var requestProblemInformation: Bool? {
        get { first { if case .requestProblemInformation(let value) = $0 { value } else { nil } } }
        set { set(.requestProblemInformation, newValue.map { .requestProblemInformation($0) }) }
    }

    /// In seconds.
    package var willDelayInterval: UInt32? {
        get { first { if case .willDelayInterval(let value) = $0 { value } else { nil } } }
        set { set(.willDelayInterval, newValue.map { .willDelayInterval($0) }) }
    }

    /// Whether the client asks for Response Information.
    package var requestResponseInformation: Bool? {
        get { first { if case .requestResponseInformation(let value) = $0 { value } else { nil } } }
        set { set(.requestResponseInformation, newValue.map { .requestResponseInformation($0) }) }
    }

    /// From which a client may make response topics.
    package var responseInformation: String? {
        get { first { if case .responseInformation(let value) = $0 { value } else { nil } } }
        set { set(.responseInformation, newValue.map { .responseInformation($0) }) }
    }

    /// Another broker to use (MQTT 5 4.11).
    package var serverReference: String? {
        get { first { if case .serverReference(let value) = $0 { value } else { nil } } }
        set { set(.serverReference, newValue.map { .serverReference($0) }) }
    }

    /// A text for people, not for programs.
    package var reasonString: String? {
        get { first { if case .reasonString(let value) = $0 { value } else { nil } } }
        set { set(.reasonString, newValue.map { .reasonString($0) }) }
    }

    /// How many PUBLISH of QoS 1 and 2 may be unacknowledged at once. Not 0.
    package var receiveMaximum: UInt16? {
        get { first { if case .receiveMaximum(let value) = $0 { value } else { nil } } }
        set { set(.receiveMaximum, newValue.map { .receiveMaximum($0) }) }
    }

    /// The highest topic alias that the sender of the property accepts.
    package var topicAliasMaximum: UInt16? {
        get { first { if case .topicAliasMaximum(let value) = $0 { value } else { nil } } }
        set { set(.topicAliasMaximum, newValue.map { .topicAliasMaximum($0) }) }
    }

    /// Stands for the topic. Not 0.
    package var topicAlias: UInt16? {
        get { first { if case .topicAlias(let value) = $0 { value } else { nil } } }
        set { set(.topicAlias, newValue.map { .topicAlias($0) }) }
    }

    /// The highest QoS that the broker supports.
    package var maximumQoS: QoS? {
        get { first { if case .maximumQoS(let value) = $0 { value } else { nil } } }
        set { set(.maximumQoS, newValue.map { .maximumQoS($0) }) }
    }

    /// Whether the broker supports retained messages.
    package var retainAvailable: Bool? {
        get { first { if case .retainAvailable(let value) = $0 { value } else { nil } } }
        set { set(.retainAvailable, newValue.map { .retainAvailable($0) }) }
    }

    /// The largest packet, in bytes, that the sender of the property accepts. Not 0.
    package var maximumPacketSize: UInt32? {
        get { first { if case .maximumPacketSize(let value) = $0 { value } else { nil } } }
        set { set(.maximumPacketSize, newValue.map { .maximumPacketSize($0) }) }
    }

    /// Whether the broker supports wildcards in filters.
    package var wildcardSubscriptionAvailable: Bool? {
        get { first { if case .wildcardSubscriptionAvailable(let value) = $0 { value } else { nil } } }
        set { set(.wildcardSubscriptionAvailable, newValue.map { .wildcardSubscriptionAvailable($0) }) }
    }

    /// Whether the broker supports subscription identifiers.
    package var subscriptionIdentifiersAvailable: Bool? {
        get { first { if case .subscriptionIdentifiersAvailable(let value) = $0 { value } else { nil } } }
        set { set(.subscriptionIdentifiersAvailable, newValue.map { .subscriptionIdentifiersAvailable($0) }) }
    }

    /// Whether the broker supports shared subscriptions.
    package var sharedSubscriptionAvailable: Bool? {
        get { first { if case .sharedSubscriptionAvailable(let value) = $0 { value } else { nil } } }
        set { set(.sharedSubscriptionAvailable, newValue.map { .sharedSubscriptionAvailable($0) }) }
    }

    /// All subscription identifiers. A PUBLISH to a client has one for each subscription that matched (MQTT 5
    /// 3.3.2.3.8).
    package var subscriptionIdentifiers: [UInt32] {
        get { list.compactMap { if case .subscriptionIdentifier(let value) = $0 { value } else { nil } } }
        set {
            removeAll { $0.identifier == .subscriptionIdentifier }
            for value in newValue { append(.subscriptionIdentifier(value)) }
        }
    }

    /// All user properties in their order. A name may appear more than once (MQTT 5 3.1.2.11.8).
    package var userProperties: [(name: String, value: String)] {
        get { list.compactMap { if case .userProperty(let name, let value) = $0 { (name, value) } else { nil } } }
        set {
            removeAll { $0.identifier == .userProperty }
            for (name, value) in newValue { append(.userProperty(name: name, value: value)) }
        }
    }
}
