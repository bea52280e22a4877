import MQTTQUICClient

import enum MQTTCodec.TopicFilter

/// What `sub` subscribes to.
struct SubscribePlan: Equatable, Sendable {
    var subscriptions: [MQTTSubscription]
    /// `-U`
    var unsubscribed: [String]
    /// `-E`
    var endsWhenSubscribed = false
    /// `-W`
    var timeout: Duration?

    /// - Parameters:
    ///   - isRetainedWanted: With MQTT 5.0, whether the broker sends the messages that it keeps.
    /// - Throws: If there is no filter, or one of them is invalid.
    init(
        filters: [String], unsubscribed: [String], qos: MQTTQoS, version: MQTTVersion, isRetainedWanted: Bool = true,
        retainAsPublished: Bool = false
    ) throws(UsageError) {
        guard !filters.isEmpty else { throw UsageError("the topic is missing: give one or more with -t") }
        for filter in filters { try Self.check(filter, "-t", version) }
        for filter in unsubscribed { try Self.check(filter, "-U", version) }
        if retainAsPublished, version == .v3_1_1 {
            throw UsageError("--retain-as-published: MQTT 3.1.1 has no such thing; write -V 5 as well")
        }
        subscriptions = filters.map { filter in
            var subscription = MQTTSubscription(filter, qos: qos, retainAsPublished: retainAsPublished)
            if version == .v5_0, !isRetainedWanted { subscription.retainHandling = .never }
            return subscription
        }
        self.unsubscribed = unsubscribed
    }

    static func check(_ filter: String, _ option: String, _ version: MQTTVersion = .v5_0) throws(UsageError) {
        do {
            try TopicFilter.validate(filter, version: version == .v5_0 ? .v5_0 : .v3_1_1)
        } catch {
            throw UsageError("\(option) \"\(filter)\": \(error.message)")
        }
    }
}
