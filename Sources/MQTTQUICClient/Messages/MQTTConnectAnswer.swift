/// What carries a connection.
public enum MQTTTransport: Sendable, Equatable {
    case quic
    /// TLS over TCP.
    case tls
}

/// What the broker answered to CONNECT, and what the handshake before it showed.
public struct MQTTConnectAnswer: Sendable, Equatable {
    /// Whether the broker went on with an earlier session.
    public var isSessionPresent: Bool
    /// The client's identifier: the configured one, or the one that the broker assigned.
    public var clientID: String
    /// Whether the broker assigned ``clientID``.
    public var isClientIDAssigned: Bool
    /// The keepalive that counts, in seconds: the broker's if it set one.
    public var keepAlive: Duration
    public var limits: MQTTBrokerLimits
    /// From which a topic for answers can be made, if the broker has one to offer.
    public var responseInformation: String?
    /// A text for people.
    public var reason: String?
    public var userProperties: [MQTTUserProperty]
    public var transport: MQTTTransport
    /// The address that answered, with its port.
    public var remoteAddress: String
    /// Whether a ticket shortened the handshake.
    public var isResumed: Bool
    /// Whether CONNECT went out in the first flight and the broker took it. `nil` if it was not sent that way.
    public var isEarlyDataAccepted: Bool?
}

/// What the broker takes, as its CONNACK says (MQTT 5 3.2.2.3). With MQTT 3.1.1 nothing is limited.
public struct MQTTBrokerLimits: Sendable, Equatable {
    /// How many messages of QoS 1 and 2 may be unacknowledged at once.
    public var receiveMaximum: UInt16 = .max
    public var maximumQoS: MQTTQoS = .exactlyOnce
    public var isRetainAvailable = true
    /// In bytes. `nil` means that it has no limit of its own.
    public var maximumPacketSize: Int?
    public var hasWildcardSubscriptions = true
    public var hasSubscriptionIdentifiers = true
    public var hasSharedSubscriptions = true
    /// How long the broker keeps the session; `nil` means as long as the client asked for.
    public var sessionExpiry: Duration?

    public init() {}
}
