/// What becomes of one message or one filter of a device.
package struct RouteVerdict: Sendable, Equatable, Encodable {
    /// Whether the message or the filter goes to the broker.
    package enum Outcome: String, Sendable, Encodable {
        /// It goes to the broker.
        case forwarded
        /// It is acknowledged, and does not go to the broker.
        case dropped
        /// It is refused.
        case rejected
    }

    /// One way to the broker: the only one of a message, or one of those of a filter that spans several routes.
    package struct Way: Sendable, Equatable, Encodable {
        /// The topic or filter that the broker sees.
        package var remote: String
        /// The route that decided, counted from 0; `nil` if no route matched and `unrouted` lets it pass.
        package var route: Int?
        /// The highest QoS with which the message, or what the filter asks for, goes that way.
        package var qosLimit: Int
        /// Whether a message loses its RETAIN flag.
        package var stripsRetain: Bool
        /// What becomes of a message that comes back this way.
        package var back: Back
        /// What the platform does with it although it accepts it; `nil` if there is nothing to say.
        package var remark: String?
    }

    /// What becomes of a message that the broker sends to the device.
    package struct Back: Sendable, Equatable, Encodable {
        /// The topic that the broker sends it on. For a filter this is an example.
        package var remote: String
        /// The topic that the device sees; `nil` if it does not get the message.
        package var local: String?
        /// The route that decided, counted from 0; `nil` if no route matched.
        package var route: Int?
        /// Whether the message loses its RETAIN flag.
        package var stripsRetain: Bool
        /// Whether the topic that the device sees is the one that it published on, or one that its filter matches.
        package var isExpected: Bool
    }

    /// What the device is told of something that does not go to the broker.
    package struct Answer: Sendable, Equatable, Encodable {
        /// `3.1.1` or `5.0`.
        package var version: String
        /// The QoS of the message; `nil` for a filter.
        package var qos: Int?
        /// Such as `PUBACK 0x87, not authorized`, or `the connection is closed`.
        package var text: String
    }

    /// Whether it goes to the broker.
    package var outcome: Outcome
    /// Why it does not go to the broker.
    package var reason: String?
    /// Empty if it does not go to the broker.
    package var ways: [Way] = []
    /// Empty if it goes to the broker.
    package var answers: [Answer] = []
    /// Routes that match but have only the other direction, counted from 0; empty if it goes to the broker.
    package var otherDirection: [Int] = []
}
