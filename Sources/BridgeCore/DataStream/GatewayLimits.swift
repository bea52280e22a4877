import MQTTCodec

/// What the broker allows in one gateway session, and so on each of its data streams (MQTT 5 3.2.2.3).
///
/// A session of 3.1.1 is told no limits, so the protocol's own apply.
package struct GatewayLimits: Sendable, Equatable {
    /// The highest QoS of a message that a device may publish.
    package var maximumQoS: QoS = .exactlyOnce
    /// Whether the broker keeps retained messages (MQTT 5 3.2.2.3.5).
    package var isRetainAvailable = true
    /// Whether filters may contain `+` and `#` (MQTT 5 3.2.2.3.11).
    package var areWildcardsAvailable = true
    /// Whether a SUBSCRIBE may have a Subscription Identifier (MQTT 5 3.2.2.3.12).
    package var areSubscriptionIdentifiersAvailable = true
    /// Whether filters may begin with `$share/` (MQTT 5 3.2.2.3.13).
    package var areSharedSubscriptionsAvailable = true
    /// How many QoS 1 and 2 messages of the client may be in flight at once on each stream.
    package var receiveMaximum = UInt16.max
    /// The longest packet in bytes; `nil` if only the protocol's own limit applies.
    package var maximumPacketSize: UInt32?

    package init() {}

    package init(_ connack: Connack) {
        let properties = connack.properties
        maximumQoS = properties.maximumQoS ?? .exactlyOnce
        isRetainAvailable = properties.retainAvailable ?? true
        areWildcardsAvailable = properties.wildcardSubscriptionAvailable ?? true
        areSubscriptionIdentifiersAvailable = properties.subscriptionIdentifiersAvailable ?? true
        areSharedSubscriptionsAvailable = properties.sharedSubscriptionAvailable ?? true
        receiveMaximum = properties.receiveMaximum ?? .max
        maximumPacketSize = properties.maximumPacketSize
    }
}

extension Properties {
    /// The properties of a device's CONNACK that differ from the protocol's defaults.
    init(_ limits: GatewayLimits) {
        self.init()
        if limits.maximumQoS < .exactlyOnce { maximumQoS = limits.maximumQoS }
        if !limits.isRetainAvailable { retainAvailable = false }
        if !limits.areWildcardsAvailable { wildcardSubscriptionAvailable = false }
        if !limits.areSubscriptionIdentifiersAvailable { subscriptionIdentifiersAvailable = false }
        if !limits.areSharedSubscriptionsAvailable { sharedSubscriptionAvailable = false }
        if limits.receiveMaximum < .max { receiveMaximum = limits.receiveMaximum }
        if let size = limits.maximumPacketSize { maximumPacketSize = size }
    }
}
