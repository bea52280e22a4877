/// A rule that turns local topics into remote ones and back.
///
/// Both sides are topic filters (MQTT 4.7) with the same number of `+` and a final `#` in both or in neither: what a
/// wildcard of one side matched takes the place of the same wildcard on the other. The remote side may hold variables.
package struct Route: Sendable, Equatable {
    package var local: String
    /// May hold `${clientid}`, `${username}`, `${listener}`, `${peer}`: the identity that the broker sees.
    package var remote: String
    package var direction: Direction
    /// Highest QoS that passes, in both directions.
    package var maximumQoS: Int
    package var retain: Retain

    package enum Direction: String, Sendable, CaseIterable {
        /// From the device to the broker: PUBLISH and the will.
        case up
        /// From the broker to the device: SUBSCRIBE, UNSUBSCRIBE and deliveries.
        case down
        case both
    }

    package enum Retain: String, Sendable, CaseIterable {
        case keep, strip
    }

    package init(
        local: String, remote: String, direction: Direction = .both, maximumQoS: Int = 2, retain: Retain = .keep
    ) {
        self.local = local
        self.remote = remote
        self.direction = direction
        self.maximumQoS = maximumQoS
        self.retain = retain
    }
}
