/// The routes with the values of one device filled in.
package struct ResolvedRoutes: Sendable, Equatable {
    let routes: [ResolvedRoute]
    /// What happens to a topic or filter that no route matches.
    package let unrouted: UnroutedPolicy
    /// Where their uses are counted; `nil` if nobody wants to know.
    let tally: RouteTally?
    /// The platform's rules for this device; `nil` if there is no platform.
    let platform: PlatformTopics?

    init(
        routes: [ResolvedRoute], unrouted: UnroutedPolicy, tally: RouteTally? = nil, platform: PlatformTopics? = nil
    ) {
        self.routes = routes
        self.unrouted = routes.isEmpty ? .pass : unrouted
        self.tally = tally
        self.platform = platform
    }

    /// Whether they route alike, wherever that is counted.
    package static func == (left: Self, right: Self) -> Bool {
        left.routes == right.routes && left.unrouted == right.unrouted && left.platform == right.platform
    }

    /// Without routes every packet passes unchanged.
    package static let none = ResolvedRoutes(routes: [], unrouted: .pass)

    /// Whether no topic has to be looked at.
    package var isEmpty: Bool { routes.isEmpty && platform == nil }

    /// Whether topics may change, or be kept back because no route matches them.
    var mapsTopics: Bool { !routes.isEmpty }

    /// The route with that index; `nil` if no route matched and there is none.
    func route(at index: Int?) -> ResolvedRoute? {
        guard let index, routes.indices.contains(index) else {
            return nil
        }
        return routes[index]
    }

    /// A topic on the other side, and the route that mapped it.
    package struct Mapped: Equatable {
        package var topic: String
        package var routeIndex: Int
    }

    /// A remote filter for a part of a device's filter, and the route that mapped it.
    package struct MappedFilter: Equatable {
        package var filter: String
        package var routeIndex: Int
    }

    /// Maps a topic that the device publishes, by the first matching route that goes up.
    package func remoteTopic(for local: String) -> Mapped? {
        firstMapped(MarkedTopic(publishTopic: local)) { $0.goesUp ? ($0.local, $0.remote) : nil }
    }

    /// Maps the topic of a delivery, by the first matching route that goes down.
    package func localTopic(for remote: String) -> Mapped? {
        firstMapped(MarkedTopic(unmarked: remote)) { $0.goesDown ? ($0.remote, $0.local) : nil }
    }

    /// Maps a filter that the broker has granted back, by the first matching route that goes down.
    package func localFilter(for remote: String) -> String? {
        firstMapped(MarkedTopic(filter: remote)) { $0.goesDown ? ($0.remote, $0.local) : nil }?.topic
    }

    /// Maps the topic to which the answer to a device's request is sent, by the first matching route of any direction.
    func remoteResponseTopic(for local: String) -> String? {
        firstMapped(MarkedTopic(publishTopic: local)) { ($0.local, $0.remote) }?.topic
    }

    /// Maps the topic to which the device sends its answer, by the first matching route of any direction.
    func localResponseTopic(for remote: String) -> String? {
        firstMapped(MarkedTopic(publishTopic: remote)) { ($0.remote, $0.local) }?.topic
    }

    /// The intersections of a device's filter with the routes that go down, as remote filters, in the order of the
    /// routes and without duplicates. They never reach outside the routes.
    package func remoteFilters(for local: String) -> [MappedFilter] {
        let marked = MarkedTopic(filter: local)
        var result: [MappedFilter] = []
        var seen: Set<ExactText> = []
        for (index, route) in routes.enumerated() where route.goesDown {
            // `+` and `/#` have only the empty topic in common, which does not exist [MQTT-4.7.3-1].
            guard let captures = route.local.captures(in: marked.topic), route.local.filled(with: captures) != nil,
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

    /// How many bytes a message of the device may become longer on its way to the broker; 0 if none does.
    var mostAddedUp: Int {
        func most(_ isUsed: (ResolvedRoute) -> Bool) -> Int {
            routes.reduce(0) { isUsed($1) ? max($0, $1.remote.length(beyond: $1.local)) : $0 }
        }
        // A Response Topic takes a route of any direction.
        let added = most { $0.goesUp } + most { _ in true }
        return added == 0 ? 0 : added + Self.longerLengths
    }

    /// Remaining Length and Property Length may each take another byte.
    private static let longerLengths = 2

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
