import BridgeCore

extension ConfigurationReader {
    /// The most warnings about routes. More only say that there are more.
    static let maximumRouteWarnings = 20

    /// Warns of routes that are never used, and of those that overlap in a way that matters. The routes have to be valid.
    func warnOfRoutes(_ routes: [PlacedRoute]) {
        let findings = RouteAudit.findings(routes.map(\.route))
        for finding in findings.prefix(Self.maximumRouteWarnings) {
            guard routes.indices.contains(finding.index) else { continue }
            let placed = routes[finding.index]
            let earlier = finding.earlier.filter(routes.indices.contains).map { routes[$0] }
            diagnostics.warning(
                finding.kind.isAboutRemote ? placed.remote : placed.local, "routes[\(placed.index)]",
                finding.kind.message(earlier: Self.list(earlier), isOne: earlier.count == 1))
        }
        let rest = findings.count - Self.maximumRouteWarnings
        if rest > 0, let last = routes.last {
            diagnostics.warning(
                last.local, "routes", "\(rest) more warnings about routes are not shown; remove the first ones' causes")
        }
    }

    /// Such as `routes[0] (bridge.yaml:3:5) and routes[2] (bridge.yaml:5:5)`.
    private static func list(_ routes: [PlacedRoute]) -> String {
        var names = routes.prefix(4).map { "routes[\($0.index)] (\($0.local))" }
        if routes.count > names.count { names.append("\(routes.count - names.count) others") }
        guard let last = names.popLast() else { return "" }
        return names.isEmpty ? last : "\(names.joined(separator: ", ")) and \(last)"
    }
}

extension RouteFinding.Kind {
    /// Whether the remote side of the route is what the finding is about.
    fileprivate var isAboutRemote: Bool {
        switch self {
        case .neverUsed, .neverUsedUp, .contested: false
        case .neverUsedDown, .comesBackElsewhere, .subscribedTwice: true
        }
    }

    /// What is wrong and what would be right, in one line.
    fileprivate func message(earlier: String, isOne: Bool) -> String {
        let (comes, takes, them) = isOne ? ("comes", "takes", "it") : ("come", "together take", "them")
        switch self {
        case .neverUsed:
            return "this route is never used: \(earlier) \(comes) first and \(takes) every topic that it matches;"
                + " move this one before \(them), or remove it"
        case .neverUsedUp:
            return "this route is never used for messages of devices: \(earlier) \(comes) first and \(takes) every"
                + " topic that it matches; move this one before \(them), or write direction: down"
        case .neverUsedDown:
            return "this route is never used for messages of the broker: \(earlier) \(comes) first and \(takes) every"
                + " topic that its remote side matches; move this one before \(them), or write direction: up"
        case .contested(let topic, let remote, let instead):
            let effect =
                remote == instead
                ? "with the max_qos and retain of that route" : "to \(remote.inQuotes), not to \(instead.inQuotes)"
            return "overlaps \(earlier), which comes first: a message of a device on \(topic.inQuotes) goes \(effect);"
                + " if this route is meant for it, move this one before that, otherwise make the local sides differ"
        case .comesBackElsewhere(let remote, let local, let instead):
            return "overlaps \(earlier), which comes first: a message of the broker on \(remote.inQuotes) reaches a"
                + " device on \(local.inQuotes), also if it has subscribed to \(instead.inQuotes);"
                + " make the remote sides differ, or write direction: up in one of the routes"
        case .subscribedTwice(let local, let remote):
            return "overlaps \(earlier): a device that subscribes to \(local.inQuotes) has two subscriptions at the"
                + " broker that match \(remote.inQuotes), and many brokers send such a message twice;"
                + " write direction: up in one of the routes if devices do not need both"
        }
    }
}

extension String {
    fileprivate var inQuotes: String { quotedForMessage(limit: 120) }
}
