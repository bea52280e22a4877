import BridgeCore

/// What one event loop of `run` has counted, or all of them together.
struct LoopFigures: Sendable {
    var statistics = BridgeStatistics()
    var sessions = SessionCounters()
    var traffic = TrafficTotals()
    var routes = RouteTotals()

    init() {}

    init(_ host: SessionHost) {
        statistics = host.currentStatistics
        let uplinks = [host.uplink] + host.gateways.values + host.draining.values
        sessions = uplinks.map(\.handshakes).reduce(host.sessions, +)
        sessions.warm = uplinks.reduce(0) { $0 + $1.plan.warmCount }
        (sessions.earlyDataAccepted, sessions.earlyDataRejected) = host.dialer.earlyData
        traffic = host.traffic.totals
        routes = host.rules.routes.tally?.totals ?? RouteTotals()
    }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.statistics = left.statistics + right.statistics
        sum.sessions = left.sessions + right.sessions
        sum.traffic = left.traffic + right.traffic
        sum.routes = left.routes + right.routes
        return sum
    }
}
