import NIOCore

/// The properties of a message (MQTT 5 3.3.2.3). With MQTT 3.1.1, a message to be published must have none.
public struct MQTTMessageProperties: Sendable, Equatable {
    public enum PayloadFormat: UInt8, Sendable, Equatable {
        case bytes = 0
        /// UTF-8.
        case text = 1
    }

    public var payloadFormat: PayloadFormat?
    /// How long the message is of use, in whole seconds. The time for which it waits for a connection counts.
    public var expiry: Duration?
    /// A MIME type, for example.
    public var contentType: String?
    /// The topic that an answer is expected at.
    public var responseTopic: String?
    /// Tells the sender of a request which one an answer is for.
    public var correlationData: ByteBuffer?
    public var userProperties: [MQTTUserProperty] = []
    /// The identifiers of the subscriptions that a received message matched, as far as the application gave them. It
    /// has to be empty for a message to be published.
    public var subscriptionIdentifiers: [UInt32] = []

    public init() {}
}
