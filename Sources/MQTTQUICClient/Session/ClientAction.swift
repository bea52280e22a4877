import NIOCore

/// What a session wants to be done. The runtime does it in this order.
package enum ClientAction: Equatable {
    case send(ByteBuffer, on: LinkStream)
    /// CONNACK has come, and the session goes on. The data streams can be opened.
    case connected(ConnackFacts)
    case published(ClientOperation, Result<MQTTPublishAnswer, MQTTClientError>)
    case subscribed(ClientOperation, Result<[MQTTReasonCode], MQTTClientError>)
    case unsubscribed(ClientOperation, Result<[MQTTReasonCode], MQTTClientError>)
    /// - Parameters:
    ///   - delivery: What has to be given back when the application has taken the message; `nil` with QoS 0.
    ///   - to: The subscriptions that it is for; empty if there is none.
    case deliver(MQTTMessage, IncomingFlow.Delivery?, to: [ClientOperation])
    /// A filter that the application is subscribed to was not granted again in a new session.
    case subscriptionRefused(filter: String, MQTTReasonCode, reason: String?)
    /// A subscription has ended, by an error if there is one.
    case subscriptionEnded(ClientOperation, MQTTClientError?)
    /// The connection cannot go on. What has to be sent before its end was sent.
    case fail(MQTTClientError)
}

/// What a CONNACK says that accepts the client.
package struct ConnackFacts: Equatable, Sendable {
    var isSessionPresent: Bool
    var clientID: String
    var isClientIDAssigned: Bool
    var keepAlive: Duration
    var limits: MQTTBrokerLimits
    var responseInformation: String?
    var reason: String?
    var userProperties: [MQTTUserProperty]
}
