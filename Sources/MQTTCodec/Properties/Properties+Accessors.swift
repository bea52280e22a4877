import NIOCore

/// One name for each property. Reading one that is not there gives `nil`, never the default that the specification
/// assigns to its absence; writing replaces it where it stands or adds it at the end; writing `nil` removes it.
extension Properties {
    /// Whether the payload is UTF-8 text.
    package var payloadFormatIndicator: Bool? {
        get { first { if case .payloadFormatIndicator(let value) = $0 { value } else { nil } } }
        set { set(.payloadFormatIndicator, newValue.map { .payloadFormatIndicator($0) }) }
    }

    /// Seconds.
    package var messageExpiryInterval: UInt32? {
        get { first { if case .messageExpiryInterval(let value) = $0 { value } else { nil } } }
        set { set(.messageExpiryInterval, newValue.map { .messageExpiryInterval($0) }) }
    }

    package var contentType: String? {
        get { first { if case .contentType(let value) = $0 { value } else { nil } } }
        set { set(.contentType, newValue.map { .contentType($0) }) }
    }

    package var responseTopic: String? {
        get { first { if case .responseTopic(let value) = $0 { value } else { nil } } }
        set { set(.responseTopic, newValue.map { .responseTopic($0) }) }
    }

    package var correlationData: ByteBuffer? {
        get { first { if case .correlationData(let value) = $0 { value } else { nil } } }
        set { set(.correlationData, newValue.map { .correlationData($0) }) }
    }

    /// Seconds; `UInt32.max` never expires.
    package var sessionExpiryInterval: UInt32? {
        get { first { if case .sessionExpiryInterval(let value) = $0 { value } else { nil } } }
        set { set(.sessionExpiryInterval, newValue.map { .sessionExpiryInterval($0) }) }
    }

    package var assignedClientIdentifier: String? {
        get { first { if case .assignedClientIdentifier(let value) = $0 { value } else { nil } } }
        set { set(.assignedClientIdentifier, newValue.map { .assignedClientIdentifier($0) }) }
    }

    /// Seconds.
    package var serverKeepAlive: UInt16? {
        get { first { if case .serverKeepAlive(let value) = $0 { value } else { nil } } }
        set { set(.serverKeepAlive, newValue.map { .serverKeepAlive($0) }) }
    }

    package var authenticationMethod: String? {
        get { first { if case .authenticationMethod(let value) = $0 { value } else { nil } } }
        set { set(.authenticationMethod, newValue.map { .authenticationMethod($0) }) }
    }

    package var authenticationData: ByteBuffer? {
        get { first { if case .authenticationData(let value) = $0 { value } else { nil } } }
        set { set(.authenticationData, newValue.map { .authenticationData($0) }) }
    }

    package var requestProblemInformation: Bool? {
        get { first { if case .requestProblemInformation(let value) = $0 { value } else { nil } } }
        set { set(.requestProblemInformation, newValue.map { .requestProblemInformation($0) }) }
    }

    /// Seconds.
    package var willDelayInterval: UInt32? {
        get { first { if case .willDelayInterval(let value) = $0 { value } else { nil } } }
        set { set(.willDelayInterval, newValue.map { .willDelayInterval($0) }) }
    }

    package var requestResponseInformation: Bool? {
        get { first { if case .requestResponseInformation(let value) = $0 { value } else { nil } } }
        set { set(.requestResponseInformation, newValue.map { .requestResponseInformation($0) }) }
    }

    package var responseInformation: String? {
        get { first { if case .responseInformation(let value) = $0 { value } else { nil } } }
        set { set(.responseInformation, newValue.map { .responseInformation($0) }) }
    }

    package var serverReference: String? {
        get { first { if case .serverReference(let value) = $0 { value } else { nil } } }
        set { set(.serverReference, newValue.map { .serverReference($0) }) }
    }

    package var reasonString: String? {
        get { first { if case .reasonString(let value) = $0 { value } else { nil } } }
        set { set(.reasonString, newValue.map { .reasonString($0) }) }
    }

    package var receiveMaximum: UInt16? {
        get { first { if case .receiveMaximum(let value) = $0 { value } else { nil } } }
        set { set(.receiveMaximum, newValue.map { .receiveMaximum($0) }) }
    }

    package var topicAliasMaximum: UInt16? {
        get { first { if case .topicAliasMaximum(let value) = $0 { value } else { nil } } }
        set { set(.topicAliasMaximum, newValue.map { .topicAliasMaximum($0) }) }
    }

    package var topicAlias: UInt16? {
        get { first { if case .topicAlias(let value) = $0 { value } else { nil } } }
        set { set(.topicAlias, newValue.map { .topicAlias($0) }) }
    }

    package var maximumQoS: QoS? {
        get { first { if case .maximumQoS(let value) = $0 { value } else { nil } } }
        set { set(.maximumQoS, newValue.map { .maximumQoS($0) }) }
    }

    package var retainAvailable: Bool? {
        get { first { if case .retainAvailable(let value) = $0 { value } else { nil } } }
        set { set(.retainAvailable, newValue.map { .retainAvailable($0) }) }
    }

    /// Bytes of a whole packet.
    package var maximumPacketSize: UInt32? {
        get { first { if case .maximumPacketSize(let value) = $0 { value } else { nil } } }
        set { set(.maximumPacketSize, newValue.map { .maximumPacketSize($0) }) }
    }

    package var wildcardSubscriptionAvailable: Bool? {
        get { first { if case .wildcardSubscriptionAvailable(let value) = $0 { value } else { nil } } }
        set { set(.wildcardSubscriptionAvailable, newValue.map { .wildcardSubscriptionAvailable($0) }) }
    }

    package var subscriptionIdentifiersAvailable: Bool? {
        get { first { if case .subscriptionIdentifiersAvailable(let value) = $0 { value } else { nil } } }
        set { set(.subscriptionIdentifiersAvailable, newValue.map { .subscriptionIdentifiersAvailable($0) }) }
    }

    package var sharedSubscriptionAvailable: Bool? {
        get { first { if case .sharedSubscriptionAvailable(let value) = $0 { value } else { nil } } }
        set { set(.sharedSubscriptionAvailable, newValue.map { .sharedSubscriptionAvailable($0) }) }
    }

    /// All of them: a PUBLISH to a client holds one for each subscription that matched (MQTT 5 3.3.2.3.8).
    package var subscriptionIdentifiers: [UInt32] {
        get { list.compactMap { if case .subscriptionIdentifier(let value) = $0 { value } else { nil } } }
        set {
            removeAll { $0.identifier == .subscriptionIdentifier }
            for value in newValue { append(.subscriptionIdentifier(value)) }
        }
    }

    /// In the order they came in; a name may appear more than once (MQTT 5 3.1.2.11.8).
    package var userProperties: [(name: String, value: String)] {
        get { list.compactMap { if case .userProperty(let name, let value) = $0 { (name, value) } else { nil } } }
        set {
            removeAll { $0.identifier == .userProperty }
            for (name, value) in newValue { append(.userProperty(name: name, value: value)) }
        }
    }
}
