/// What can have properties, and which of them (MQTT 5 2.2.2.2, table 2-4): a packet, or the will inside CONNECT.
///
/// Each of these has a section of the specification with one numbered subsection per property. The tables map the
/// allowed properties to that number.
enum PropertyHolder: Sendable, CaseIterable {
    case connect, will, connack, publish, puback, pubrec, pubrel, pubcomp
    case subscribe, suback, unsubscribe, unsuback, disconnect, auth

    /// `nil` for a packet type that has no properties.
    init?(_ type: PacketType) {
        switch type {
        case .connect: self = .connect
        case .connack: self = .connack
        case .publish: self = .publish
        case .puback: self = .puback
        case .pubrec: self = .pubrec
        case .pubrel: self = .pubrel
        case .pubcomp: self = .pubcomp
        case .subscribe: self = .subscribe
        case .suback: self = .suback
        case .unsubscribe: self = .unsubscribe
        case .unsuback: self = .unsuback
        case .disconnect: self = .disconnect
        case .auth: self = .auth
        case .pingreq, .pingresp: return nil
        }
    }

    /// The subsection about a property, for example `MQTT 5 3.3.2.3.4`; the section about all of them if the property is
    /// not allowed here. It is put together for errors only.
    func clause(of identifier: PropertyIdentifier) -> Clause {
        properties[identifier].map { Clause("MQTT 5 \(section).\($0)") } ?? .properties
    }

    func allows(_ identifier: PropertyIdentifier) -> Bool { properties[identifier] != nil }

    /// Whether a property may appear more than once.
    func allowsRepeated(_ identifier: PropertyIdentifier) -> Bool {
        switch identifier {
        case .userProperty: true
        case .subscriptionIdentifier: self == .publish
        default: false
        }
    }

    private var section: String {
        switch self {
        case .connect: "3.1.2.11"
        case .will: "3.1.3.2"
        case .connack: "3.2.2.3"
        case .publish: "3.3.2.3"
        case .puback: "3.4.2.2"
        case .pubrec: "3.5.2.2"
        case .pubrel: "3.6.2.2"
        case .pubcomp: "3.7.2.2"
        case .subscribe: "3.8.2.1"
        case .suback: "3.9.2.1"
        case .unsubscribe: "3.10.2.1"
        case .unsuback: "3.11.2.1"
        case .disconnect: "3.14.2.2"
        case .auth: "3.15.2.2"
        }
    }

    private var properties: [PropertyIdentifier: Int] {
        switch self {
        case .connect: Self.inConnect
        case .will: Self.inWill
        case .connack: Self.inConnack
        case .publish: Self.inPublish
        case .puback, .pubrec, .pubrel, .pubcomp, .suback, .unsuback: Self.inAcknowledgement
        case .subscribe: Self.inSubscribe
        case .unsubscribe: Self.inUnsubscribe
        case .disconnect: Self.inDisconnect
        case .auth: Self.inAuth
        }
    }

    private static let inConnect: [PropertyIdentifier: Int] = [
        .sessionExpiryInterval: 2, .receiveMaximum: 3, .maximumPacketSize: 4, .topicAliasMaximum: 5,
        .requestResponseInformation: 6, .requestProblemInformation: 7, .userProperty: 8,
        .authenticationMethod: 9, .authenticationData: 10,
    ]
    private static let inWill: [PropertyIdentifier: Int] = [
        .willDelayInterval: 2, .payloadFormatIndicator: 3, .messageExpiryInterval: 4, .contentType: 5,
        .responseTopic: 6, .correlationData: 7, .userProperty: 8,
    ]
    private static let inConnack: [PropertyIdentifier: Int] = [
        .sessionExpiryInterval: 2, .receiveMaximum: 3, .maximumQoS: 4, .retainAvailable: 5, .maximumPacketSize: 6,
        .assignedClientIdentifier: 7, .topicAliasMaximum: 8, .reasonString: 9, .userProperty: 10,
        .wildcardSubscriptionAvailable: 11, .subscriptionIdentifiersAvailable: 12, .sharedSubscriptionAvailable: 13,
        .serverKeepAlive: 14, .responseInformation: 15, .serverReference: 16,
        .authenticationMethod: 17, .authenticationData: 18,
    ]
    private static let inPublish: [PropertyIdentifier: Int] = [
        .payloadFormatIndicator: 2, .messageExpiryInterval: 3, .topicAlias: 4, .responseTopic: 5,
        .correlationData: 6, .userProperty: 7, .subscriptionIdentifier: 8, .contentType: 9,
    ]
    private static let inAcknowledgement: [PropertyIdentifier: Int] = [.reasonString: 2, .userProperty: 3]
    private static let inSubscribe: [PropertyIdentifier: Int] = [.subscriptionIdentifier: 2, .userProperty: 3]
    private static let inUnsubscribe: [PropertyIdentifier: Int] = [.userProperty: 2]
    private static let inDisconnect: [PropertyIdentifier: Int] = [
        .sessionExpiryInterval: 2, .reasonString: 3, .userProperty: 4, .serverReference: 5,
    ]
    private static let inAuth: [PropertyIdentifier: Int] = [
        .authenticationMethod: 2, .authenticationData: 3, .reasonString: 4, .userProperty: 5,
    ]
}
