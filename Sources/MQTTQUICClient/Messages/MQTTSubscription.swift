/// A topic filter and how messages are to be sent for it (MQTT 5 3.8.3.1).
public struct MQTTSubscription: Sendable, Equatable {
    /// When the broker sends the messages that it has kept.
    public enum RetainHandling: UInt8, Sendable, Equatable {
        case always = 0
        case ifNew = 1
        case never = 2
    }

    public var filter: String
    /// The highest QoS that messages are sent with. With several subscriptions to one filter, the highest of theirs
    /// counts.
    public var qos: MQTTQoS
    /// The client's own messages are not sent to it. MQTT 5 only.
    public var noLocal: Bool
    /// Messages keep the mark that they were published with. MQTT 5 only.
    public var retainAsPublished: Bool
    /// MQTT 5 only.
    public var retainHandling: RetainHandling

    public init(
        _ filter: String, qos: MQTTQoS = .atLeastOnce, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .always
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }
}
