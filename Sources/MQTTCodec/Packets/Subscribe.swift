/// SUBSCRIBE (MQTT 5 3.8).
package struct Subscribe: Sendable, Equatable {
    /// Not 0.
    package var packetID: UInt16
    package var properties: Properties
    /// At least one.
    package var subscriptions: [Subscription]

    package init(packetID: UInt16, properties: Properties = [], subscriptions: [Subscription]) {
        self.packetID = packetID
        self.properties = properties
        self.subscriptions = subscriptions
    }
}
