/// The routes of one device, its values filled in.
package struct ResolvedRoutes: Sendable, Equatable {
    let routes: [ResolvedRoute]
    package let unrouted: UnroutedPolicy

    init(routes: [ResolvedRoute], unrouted: UnroutedPolicy) {
        self.routes = routes
        self.unrouted = unrouted
    }

    /// No routes: every packet passes as it is.
    package static let none = ResolvedRoutes(routes: [], unrouted: .pass)

    package var isEmpty: Bool { routes.isEmpty }

    /// `nil` for what no route brought here.
    func route(at index: Int?) -> ResolvedRoute? {
        guard let index, routes.indices.contains(index) else {
            return nil
        }
        return routes[index]
    }

    /// A topic on the other side, and which route brought it there.
    struct Mapped: Equatable {
        var topic: String
        var routeIndex: Int
    }

    /// A remote filter for a part of a device's filter.
    struct MappedFilter: Equatable {
        var filter: String
        var routeIndex: Int
    }

    /// The remote topic of a topic the device publishes: by the first route that goes up and matches.
    func remoteTopic(for local: String) -> Mapped? {
        firstMapped(MarkedTopic(publishTopic: local)) { $0.goesUp ? ($0.local, $0.remote) : nil }
    }

    /// The local topic of a delivery: by the first route that goes down and matches.
    func localTopic(for remote: String) -> Mapped? {
        firstMapped(MarkedTopic(unmarked: remote)) { $0.goesDown ? ($0.remote, $0.local) : nil }
    }

    /// Where the answer to a device's request is to go; the direction of a route doesn't matter.
    func remoteResponseTopic(for local: String) -> String? {
        firstMapped(MarkedTopic(publishTopic: local)) { ($0.local, $0.remote) }?.topic
    }

    /// Where the answer to a request made to the device is to go.
    func localResponseTopic(for remote: String) -> String? {
        firstMapped(MarkedTopic(publishTopic: remote)) { ($0.remote, $0.local) }?.topic
    }

    /// What a device's filter reaches: its intersection with each route that goes down, as remote filters, in the order
    /// of the routes and none twice. Nothing outside the routes, whatever the filter.
    func remoteFilters(for local: String) -> [MappedFilter] {
        let marked = MarkedTopic(filter: local)
        var result: [MappedFilter] = []
        var seen: Set<ExactText> = []
        for (index, route) in routes.enumerated() where route.goesDown {
            guard let captures = route.local.captures(in: marked.topic),
                let mapped = route.remote.filled(with: captures)
            else {
                continue
            }
            let filter = marked.replacingTopic(with: mapped)
            if seen.insert(ExactText(text: filter)).inserted {
                result.append(MappedFilter(filter: filter, routeIndex: index))
            }
        }
        return result
    }

    private func firstMapped(
        _ marked: MarkedTopic, sides: (ResolvedRoute) -> (from: TopicPattern, to: TopicPattern)?
    ) -> Mapped? {
        for (index, route) in routes.enumerated() {
            guard let sides = sides(route), let captures = sides.from.captures(in: marked.topic),
                let mapped = sides.to.filled(with: captures)
            else {
                continue
            }
            return Mapped(topic: marked.replacingTopic(with: mapped), routeIndex: index)
        }
        return nil
    }
}
