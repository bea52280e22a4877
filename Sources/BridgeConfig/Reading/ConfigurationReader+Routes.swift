import BridgeCore

extension ConfigurationReader {
    private static let maximumRoutes = 1_000
    /// The keys of an item of `routes`.
    static let routeKeys = ["local", "remote", "direction", "max_qos", "retain"]

    /// A route with the places of its two sides, for checks that need all routes.
    struct PlacedRoute {
        var route: Route
        /// Position in the file's list, counted from 0.
        var index: Int
        var local: Origin
        var remote: Origin
    }

    func routes() -> [PlacedRoute] {
        guard let node = settings.nodes[.routes] else { return profileRoutes() }
        guard case .list(let items) = node.content else {
            error(
                .routes,
                "expected a list, found \(node.kind); each route begins with a dash: - {local: ..., remote: ...}")
            return []
        }
        if items.count > Self.maximumRoutes {
            error(.routes, "\(items.count) routes; the most is \(Self.maximumRoutes)")
        }
        return items.enumerated().compactMap { index, item in route(item, index) }
    }

    /// Checks shapes and variables; each error names the line of the side that is wrong.
    func checkRoutes(_ routes: [PlacedRoute], unrouted: UnroutedPolicy) {
        for problem in RouteCheck.problems(in: routes.map(\.route), unrouted: unrouted) {
            guard routes.indices.contains(problem.index) else { continue }
            let placed = routes[problem.index]
            let origin = problem.side == .local ? placed.local : placed.remote
            diagnostics.error(origin, "routes[\(placed.index)].\(problem.side.rawValue)", problem.message)
        }
    }

    private func route(_ node: YAMLNode, _ index: Int) -> PlacedRoute? {
        let path = "routes[\(index)]"
        guard let entries = entries(of: node, path, known: Self.routeKeys) else { return nil }
        func setting(_ name: String) -> Setting? { entries[name].flatMap { scalar($0, "\(path).\(name)") } }
        func side(_ name: String) -> Setting? {
            guard entries[name] != nil else {
                diagnostics.error(node.origin, path, "\(name) is missing; a route needs local and remote")
                return nil
            }
            return setting(name).flatMap { values.text($0, "\(path).\(name)") == nil ? nil : $0 }
        }
        let sides = (local: side("local"), remote: side("remote"))
        let direction = setting("direction").flatMap { values.choice($0, "\(path).direction", Route.Direction.self) }
        let maximumQoS = setting("max_qos").flatMap { values.integer($0, "\(path).max_qos", in: 0...2, "a QoS") }
        let retain = setting("retain").flatMap { values.choice($0, "\(path).retain", Route.Retain.self) }
        guard let local = sides.local, let remote = sides.remote else { return nil }
        let route = Route(
            local: local.text, remote: remote.text, direction: direction ?? .both, maximumQoS: maximumQoS ?? 2,
            retain: retain ?? .keep)
        return PlacedRoute(route: route, index: index, local: local.origin, remote: remote.origin)
    }
}
