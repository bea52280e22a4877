import MQTTCodec

/// A route with the values of one device filled in.
struct ResolvedRoute: Sendable, Equatable {
    let local: TopicPattern
    let remote: TopicPattern
    let direction: Route.Direction
    let qosCap: QoS
    let stripsRetain: Bool

    init(_ route: Route, local: TopicPattern, remote: TopicPattern) {
        self.local = local
        self.remote = remote
        direction = route.direction
        qosCap = QoS(rawValue: UInt8(clamping: route.maximumQoS)) ?? .exactlyOnce
        stripsRetain = route.retain == .strip
    }

    var goesUp: Bool { direction != .down }
    var goesDown: Bool { direction != .up }
}
