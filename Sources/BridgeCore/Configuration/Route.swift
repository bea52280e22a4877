/// A rule that turns local topics into remote ones and back.
///
/// Both sides are topic filters (MQTT 4.7) with the same number of `+`, and with a `#` at the end of both or of neither.
/// What a wildcard of one side matches takes the place of the same wildcard on the other side.
package struct Route: Sendable, Equatable {
    /// The topic filter of the devices' side, without variables.
    package var local: String
    /// The remote side may contain `${clientid}` and `${username}`, which stand for the identity that the broker sees,
    /// and `${listener}` and `${peer}`.
    package var remote: String
    /// In which directions messages take the route.
    package var direction: Direction
    /// The highest QoS of a message that goes up, and of a subscription. A higher one is lowered to it.
    package var maximumQoS: Int
    /// What happens to the RETAIN flag.
    package var retain: Retain

    /// In which direction messages take the route.
    package enum Direction: String, Sendable, CaseIterable {
        /// Messages go from the device to the broker: the route applies to PUBLISH and the will.
        case up
        /// Messages go from the broker to the device: the route applies to SUBSCRIBE, UNSUBSCRIBE and deliveries.
        case down
        case both
    }

    /// What happens to the RETAIN flag, in both directions.
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
