/// Something about two routes that their operator probably did not mean.
package struct RouteFinding: Sendable, Equatable {
    /// The later route, which is the one that has no effect. Routes are counted from 0.
    package var index: Int
    /// The earlier routes that come first; never empty.
    package var earlier: [Int]
    /// What is wrong.
    package var kind: Kind

    /// What is wrong. Topics are examples, in which variables stand as they are written in the configuration.
    package enum Kind: Sendable, Equatable {
        /// The earlier routes take every topic of the route, in each direction that it has.
        case neverUsed
        /// The earlier routes take every topic of the devices, but not every topic of the broker.
        case neverUsedUp
        /// The earlier routes take every topic of the broker, but not every topic of the devices.
        case neverUsedDown
        /// Both routes match `topic` of a device, neither is for a part of the other's topics, and they do different
        /// things with it. The earlier one sends it to `remote`, the later one would send it to `instead`.
        case contested(topic: String, remote: String, instead: String)
        /// What a device has subscribed to by the later route comes back by the earlier one, on another topic.
        case comesBackElsewhere(remote: String, local: String, instead: String)
        /// A device that subscribes to all of `local` is subscribed to two filters at the broker, which both match
        /// `remote`.
        case subscribedTwice(local: String, remote: String)
    }

    package init(index: Int, earlier: [Int], kind: Kind) {
        self.index = index
        self.earlier = earlier
        self.kind = kind
    }
}
