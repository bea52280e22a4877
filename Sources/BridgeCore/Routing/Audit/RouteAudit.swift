/// Looks for routes that can never match because earlier ones take all their topics, and for routes that overlap in a way
/// that matters.
///
/// Variables count as texts that no route names, which is how nearly all devices see the routes. A route that is never
/// used then is never used for any device.
package struct RouteAudit {
    /// How many steps the audit takes before it is given up, for all routes together: less than half a second.
    private static let wholeBudget = 200_000
    private static let budgetPerRoute = 20_000

    private let routes: [ResolvedRoute]
    private let resolved: ResolvedRoutes
    private let numbers: LevelNumbers
    private let up: [RouteLanguage]
    private let down: [RouteLanguage]
    private let sample: SampleTopic
    private var budget = Self.wholeBudget

    /// The findings for routes that are valid, in the order of the later route; none for others.
    package static func findings(_ routes: [Route]) -> [RouteFinding] {
        guard routes.count > 1, let table = try? RoutingTable(routes: routes, unrouted: .reject),
            let resolved = try? table.resolved(with: OpaqueVariables.values)
        else { return [] }
        var audit = RouteAudit(resolved)
        return resolved.routes.indices.dropFirst().flatMap { audit.findings(of: $0) }
    }

    private init(_ resolved: ResolvedRoutes) {
        var numbers = LevelNumbers()
        self.resolved = resolved
        routes = resolved.routes
        up = routes.map { RouteLanguage(from: $0.local, to: $0.remote, numbers: &numbers) }
        down = routes.map { RouteLanguage(from: $0.remote, to: $0.local, numbers: &numbers) }
        self.numbers = numbers
        sample = SampleTopic(avoiding: numbers.texts)
    }

    private mutating func findings(of index: Int) -> [RouteFinding] {
        let route = routes[index]
        let rivalsUp = route.goesUp ? rivals(of: index, up) { $0.goesUp } : []
        let rivalsDown = route.goesDown ? rivals(of: index, down) { $0.goesDown } : []
        let coverUp = cover(of: index, rivalsUp, up)
        let coverDown = cover(of: index, rivalsDown, down)
        switch (coverUp, coverDown) {
        case (let coverUp?, let coverDown?):
            let earlier = Set(coverUp).union(coverDown).sorted()
            return [RouteFinding(index: index, earlier: earlier, kind: .neverUsed)]
        case (let coverUp?, nil):
            let kind = route.goesDown ? RouteFinding.Kind.neverUsedUp : .neverUsed
            return [RouteFinding(index: index, earlier: coverUp, kind: kind)] + findingsDown(index, rivalsDown)
        case (nil, let coverDown?):
            let kind = route.goesUp ? RouteFinding.Kind.neverUsedDown : .neverUsed
            return findingsUp(index, rivalsUp) + [RouteFinding(index: index, earlier: coverDown, kind: kind)]
        case (nil, nil):
            return findingsUp(index, rivalsUp) + findingsDown(index, rivalsDown)
        }
    }

    /// The earlier routes of that direction that share topics with the route.
    private func rivals(
        of index: Int, _ languages: [RouteLanguage], _ hasDirection: (ResolvedRoute) -> Bool
    ) -> [Int] {
        (0..<index).filter { hasDirection(routes[$0]) && languages[$0].overlaps(languages[index], numbers) }
    }
}

// MARK: - Never used

extension RouteAudit {
    /// Rivals that together take every topic of the route; `nil` if there are none, or if it would take too long to know.
    private mutating func cover(of index: Int, _ rivals: [Int], _ languages: [RouteLanguage]) -> [Int]? {
        guard !rivals.isEmpty else { return nil }
        let route = languages[index]
        var own = min(budget, Self.budgetPerRoute)
        let before = own
        defer { budget -= before - max(0, own) }
        func isCovered(by rivals: [Int]) -> Bool {
            let others = rivals.map { languages[$0] }
            return RouteCover.verdict(route, without: others, numbers, budget: &own) == .covered
        }
        if let one = rivals.first(where: { languages[$0].mayInclude(route) && isCovered(by: [$0]) }) { return [one] }
        guard rivals.count > 1, isCovered(by: rivals) else { return nil }
        var needed = rivals
        for rival in rivals.reversed() {
            let rest = needed.filter { $0 != rival }
            if isCovered(by: rest) { needed = rest }
        }
        return needed
    }
}

// MARK: - Overlaps

extension RouteAudit {
    /// Whether there is time to look which of the routes before `index` takes a topic.
    private mutating func mayLook(before index: Int) -> Bool {
        budget -= 1 + index / 4
        return budget > 0
    }

    private mutating func findingsUp(_ index: Int, _ rivals: [Int]) -> [RouteFinding] {
        let route = routes[index]
        for rival in rivals {
            let earlier = routes[rival]
            guard let shared = earlier.local.intersection(with: route.local) else { continue }
            // A route for a part of the topics before one for the rest is what the order is for.
            guard !shared.hasSameBytes(as: earlier.local.text) else { continue }
            let topic = sample.topic(of: shared)
            guard mayLook(before: index) else { return [] }
            guard let mapped = resolved.remoteTopic(for: topic), mapped.routeIndex == rival,
                let instead = route.local.captures(in: topic[...]).flatMap({ route.remote.filled(with: $0) })
            else { continue }
            guard !mapped.topic.hasSameBytes(as: instead) || route.effects != earlier.effects else { continue }
            let kind = RouteFinding.Kind.contested(
                topic: OpaqueVariables.shown(topic), remote: OpaqueVariables.shown(mapped.topic),
                instead: OpaqueVariables.shown(instead))
            return [RouteFinding(index: index, earlier: [rival], kind: kind)]
        }
        return []
    }

    private mutating func findingsDown(_ index: Int, _ rivals: [Int]) -> [RouteFinding] {
        var findings: [RouteFinding] = []
        for rival in rivals {
            guard let kind = problemDown(index, rival) else { continue }
            if case .subscribedTwice = kind, !findings.isEmpty { continue }
            findings.append(RouteFinding(index: index, earlier: [rival], kind: kind))
            if case .comesBackElsewhere = kind { return [findings[findings.count - 1]] }
        }
        return findings
    }

    private mutating func problemDown(_ index: Int, _ rival: Int) -> RouteFinding.Kind? {
        let (route, earlier) = (routes[index], routes[rival])
        guard let shared = earlier.remote.intersection(with: route.remote) else { return nil }
        let topic = sample.topic(of: shared)
        guard mayLook(before: index), let mapped = resolved.localTopic(for: topic), mapped.routeIndex == rival,
            let instead = route.remote.captures(in: topic[...]).flatMap({ route.local.filled(with: $0) })
        else { return nil }
        guard mapped.topic.hasSameBytes(as: instead) else {
            return .comesBackElsewhere(
                remote: OpaqueVariables.shown(topic), local: OpaqueVariables.shown(mapped.topic),
                instead: OpaqueVariables.shown(instead))
        }
        guard !earlier.remote.text.hasSameBytes(as: route.remote.text) else { return nil }
        return .subscribedTwice(
            local: OpaqueVariables.shown(route.local.text), remote: OpaqueVariables.shown(topic))
    }
}

extension ResolvedRoute {
    /// What the route does with a message besides its topic.
    fileprivate var effects: [Int] { [Int(qosCap.rawValue), stripsRetain ? 1 : 0] }
}

extension TopicPattern {
    /// The filter of the topics that both patterns match; `nil` if there are none.
    fileprivate func intersection(with other: TopicPattern) -> String? {
        captures(in: other.text[...]).flatMap { filled(with: $0) }
    }
}
