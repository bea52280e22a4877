/// What became of a message that was published.
public struct MQTTPublishAnswer: Sendable, Equatable {
    /// ``MQTTReasonCode/success``, or ``MQTTReasonCode/noMatchingSubscribers`` if the broker says so.
    public var reasonCode: MQTTReasonCode
    /// A text for people.
    public var reason: String?
    public var userProperties: [MQTTUserProperty] = []

    public init(reasonCode: MQTTReasonCode = .success, reason: String? = nil) {
        self.reasonCode = reasonCode
        self.reason = reason
    }
}
