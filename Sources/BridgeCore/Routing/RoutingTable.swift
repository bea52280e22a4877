/// The routes of the configuration, checked once at start. `resolved(with:)` fills in the values of one device.
package struct RoutingTable: Sendable {
    private struct Rule: Sendable {
        var route: Route
        var local: TopicPattern
        var remote: TemplateString
    }

    private let rules: [Rule]
    private let unrouted: UnroutedPolicy
    private let platform: Platform?
    /// The routes of all devices, if no route uses a variable.
    private var constant: ResolvedRoutes?
    /// Where the uses of the routes are counted; `nil` if nobody wants to know.
    package private(set) var tally: RouteTally?

    /// Throws at the first route whose sides are not valid filters, do not correspond, or use an unknown variable.
    ///
    /// - Parameter platform: The platform whose broker judges the topics; `nil` if its rules are not known.
    package init(routes: [Route], unrouted: UnroutedPolicy, platform: Platform? = nil) throws(RouteError) {
        var rules: [Rule] = []
        for (index, route) in routes.enumerated() {
            rules.append(try Self.checked(route, index: index))
        }
        self.rules = rules
        self.unrouted = unrouted
        self.platform = platform
        if rules.allSatisfy({ $0.remote.variables.isEmpty }) {
            constant = try Self.resolve(rules, unrouted: unrouted, variables: RouteVariables(), tally: nil)
        }
    }

    /// The same routes, with uses counted for one event loop.
    ///
    /// - Parameter previous: What was in force before. If its routes are the same, their counts go on.
    package func counted(after previous: RoutingTable? = nil) -> RoutingTable {
        var copy = self
        let goesOn = previous.map { hasSameRoutes(as: $0) } ?? false
        let tally = (goesOn ? previous?.tally : nil) ?? RouteTally(routes: rules.count)
        copy.tally = tally
        copy.constant = constant.map { ResolvedRoutes(routes: $0.routes, unrouted: $0.unrouted, tally: tally) }
        return copy
    }

    private func hasSameRoutes(as other: RoutingTable) -> Bool {
        unrouted == other.unrouted && rules.map(\.route) == other.rules.map(\.route)
    }

    /// The local side of each route, in their order.
    package var localSides: [String] { rules.map(\.route.local) }

    /// Whether no topic has to be looked at, so that every packet passes unchanged.
    package var isEmpty: Bool { rules.isEmpty && platform == nil }

    /// Whether a route uses that variable.
    package func uses(_ variable: RouteVariable) -> Bool {
        rules.contains { $0.remote.variables.contains(variable) }
    }

    /// The routes of one device. Throws if a value cannot be part of a topic of a route that uses it: the value is empty,
    /// contains `/`, `+`, `#` or NUL, makes the topic too long, or turns it into a `$` topic.
    package func resolved(with variables: RouteVariables) throws(RouteError) -> ResolvedRoutes {
        let routes: ResolvedRoutes
        if let constant {
            routes = constant
        } else {
            routes = try Self.resolve(rules, unrouted: unrouted, variables: variables, tally: tally)
        }
        switch platform {
        case nil:
            return routes
        case .tesaiot?:
            let topics = PlatformTopics(clientID: variables.clientID, username: variables.username)
            return ResolvedRoutes(routes: routes.routes, unrouted: unrouted, tally: routes.tally, platform: topics)
        }
    }

    private static func resolve(
        _ rules: [Rule], unrouted: UnroutedPolicy, variables: RouteVariables, tally: RouteTally?
    ) throws(RouteError) -> ResolvedRoutes {
        var routes: [ResolvedRoute] = []
        routes.reserveCapacity(rules.count)
        for (index, rule) in rules.enumerated() {
            if let problem = problem(with: variables, in: rule.remote) {
                throw RouteError(routeIndex: index, field: .remote, message: problem)
            }
            let remote = try pattern(rule.remote.render(variables), index: index, field: .remote)
            routes.append(ResolvedRoute(rule.route, local: rule.local, remote: remote))
        }
        return ResolvedRoutes(routes: routes, unrouted: unrouted, tally: tally)
    }

    private static func problem(with variables: RouteVariables, in template: TemplateString) -> String? {
        for variable in RouteVariable.allCases where template.variables.contains(variable) {
            let value = variables[variable]
            if value.utf8.isEmpty {
                return "\(variable.placeholder) is empty, and the remote topic needs a value"
            }
            if value.utf8.contains(where: { Self.bytesWithMeaning.contains($0) }) {
                return "\(variable.placeholder) is \(value.quotedForMessage()): a value with `/`, `+`, `#` or NUL"
                    + " cannot be part of a topic"
            }
        }
        // A device with the name `$share` or `$SYS` would leave its own part of the topic tree.
        if case .variable(let first)? = template.segments.first, variables[first].beginsWithDollar {
            return "\(first.placeholder) is \(variables[first].quotedForMessage()):"
                + " a value that begins with `$` cannot begin a topic"
        }
        return nil
    }

    /// The separator, the wildcards and NUL.
    private static let bytesWithMeaning: [UInt8] = [UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "#"), 0]
}

extension RoutingTable {
    private static func checked(_ route: Route, index: Int) throws(RouteError) -> Rule {
        guard (0...2).contains(route.maximumQoS) else {
            throw RouteError(
                routeIndex: index, field: .maximumQoS,
                message: "the highest QoS is \(route.maximumQoS): it has to be 0, 1 or 2")
        }
        if route.local.utf8.elementsIncludeVariable {
            throw RouteError(
                routeIndex: index, field: .local,
                message: "the local side \(route.local.quotedForMessage()) contains a variable:"
                    + " variables are only allowed on the remote side")
        }
        let template: TemplateString
        do {
            template = try TemplateString(parsing: route.remote)
        } catch {
            throw RouteError(
                routeIndex: index, field: .remote,
                message: "the remote side \(route.remote.quotedForMessage()): \(error.description)")
        }
        let local = try pattern(route.local, index: index, field: .local)
        // No value contains a separator or a wildcard, so any value gives the side its final shape.
        let sample = template.render { _ in "x" }
        let remote = try pattern(sample, index: index, field: .remote)
        try checkBeginning(route.local, template: nil, index: index, field: .local)
        try checkBeginning(sample, template: template, index: index, field: .remote)
        guard local.singleCount == remote.singleCount, local.hasTail == remote.hasTail else {
            throw RouteError(
                routeIndex: index, field: .remote,
                message: "the local side \(route.local.quotedForMessage()) has \(shape(of: local)), the remote side"
                    + " \(route.remote.quotedForMessage()) has \(shape(of: remote)):"
                    + " both need the same number of `+`, and `#` at the end of both or of neither")
        }
        return Rule(route: route, local: local, remote: template)
    }

    private static func pattern(
        _ source: String, index: Int, field: RouteError.Field
    ) throws(RouteError) -> TopicPattern {
        do {
            return try TopicPattern(parsing: source)
        } catch {
            throw RouteError(
                routeIndex: index, field: field, message: "the \(field.rawValue) side \(error.description)")
        }
    }

    /// Refuses a side that begins with a marker, or whose `$` name depends on a variable, because brokers give such
    /// beginnings a meaning of their own.
    private static func checkBeginning(
        _ source: String, template: TemplateString?, index: Int, field: RouteError.Field
    ) throws(RouteError) {
        var levels = TopicLevels(source[...])
        guard let first = levels.next(), first.beginsWithDollar else {
            return
        }
        if MarkedTopic.isMarker(firstLevel: first) {
            throw RouteError(
                routeIndex: index, field: field,
                message: "the \(field.rawValue) side begins with the marker `\(first)/`: leave it out; devices may"
                    + " put it in front of their own topics, where it is kept")
        }
        if let template, case .text(let text)? = template.segments.first, template.segments.count > 1,
            !text.utf8.contains(UInt8(ascii: "/"))
        {
            throw RouteError(
                routeIndex: index, field: field,
                message: "the remote side has a variable in a first level that begins with `$`:"
                    + " write such a level without variables, as in `$SYS`")
        }
    }

    private static func shape(of pattern: TopicPattern) -> String {
        "\(pattern.singleCount) `+` and \(pattern.hasTail ? "a" : "no") `#`"
    }
}

extension String.UTF8View {
    fileprivate var elementsIncludeVariable: Bool {
        zip(self, dropFirst()).contains { $0 == UInt8(ascii: "$") && $1 == UInt8(ascii: "{") }
    }
}
