/// A route of one device.
struct ResolvedRoute: Sendable, Equatable {
    let local: TopicPattern
    let remote: TopicPattern
    let direction: Route.Direction
    /// 0, 1 or 2.
    let maximumQoS: UInt8
    let stripsRetain: Bool

    init(_ route: Route, local: TopicPattern, remote: TopicPattern) {
        self.local = local
        self.remote = remote
        direction = route.direction
        maximumQoS = UInt8(clamping: route.maximumQoS)
        stripsRetain = route.retain == .strip
    }

    var goesUp: Bool { direction != .down }
    var goesDown: Bool { direction != .up }
}
