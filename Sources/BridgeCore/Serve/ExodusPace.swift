/// How fast the clients of a server that drains are sent elsewhere.
package struct ExodusPace: Sendable, Equatable {
    /// The shortest time between two turns.
    private static let shortest = Duration.milliseconds(100)

    /// How many clients leave at each turn; the first is at once.
    package let atOnce: Int
    /// The time between two turns.
    package let interval: Duration

    /// - Parameters:
    ///   - count: The number of clients.
    ///   - rate: How many leave per second, unless that would take too long.
    ///   - limit: When the program ends. All have been told by half of that time.
    package init(of count: Int, perSecond rate: Int, within limit: Duration) {
        guard count > 0 else {
            (atOnce, interval) = (1, Self.shortest)
            return
        }
        let span = min(limit / 2, .seconds(1) / max(rate, 1) * count)
        let turns = max(1, Int(span / Self.shortest))
        atOnce = (count + turns - 1) / turns
        interval = max(Self.shortest, span / count * atOnce)
    }
}
