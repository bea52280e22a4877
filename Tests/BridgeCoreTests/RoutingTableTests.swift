import Testing

@testable import BridgeCore

@Suite("Routing: the table")
struct RoutingTableTests {
    @Test(
        "refuses a route, and says what would be right",
        arguments: [
            (
                Route(local: "a/+/#", remote: "b/#"), RouteError.Field.remote,
                #"the local side "a/+/#" has 1 `+` and a `#`, the remote side "b/#" has 0 `+` and a `#`: "#
                    + "both need the same number of `+`, and `#` at the end of both or of neither"
            ),
            (
                Route(local: "a/+", remote: "b/#"), .remote,
                #"the local side "a/+" has 1 `+` and no `#`, the remote side "b/#" has 0 `+` and a `#`: "#
                    + "both need the same number of `+`, and `#` at the end of both or of neither"
            ),
            (
                Route(local: "a/#", remote: "b/${user}/#"), .remote,
                #"the remote side "b/${user}/#": unknown variable "user": "#
                    + "the known variables are ${clientid}, ${username}, ${listener}, ${peer}"
            ),
            (
                Route(local: "${clientid}/#", remote: "b/#"), .local,
                #"the local side "${clientid}/#" contains a variable: variables are only allowed on the remote side"#
            ),
            (
                Route(local: "", remote: "b"), .local,
                "the local side is empty: a topic filter has at least one character"
            ),
            (
                Route(local: "a/#", remote: "b/#/c"), .remote,
                "the remote side has a `#` before its last level: `#` is only allowed at the end, as in `a/b/#`"
            ),
            (
                Route(local: "a/+", remote: "b/+${clientid}"), .remote,
                #"the remote side has a wildcard beside other text in level "+x": `+` and `#` have to be whole levels"#
            ),
            (
                Route(local: "a/#", remote: "$share/g/a/#"), .remote,
                "the remote side begins with the marker `$share/`: leave it out; devices may"
                    + " put it in front of their own topics, where it is kept"
            ),
            (
                Route(local: "a/#", remote: "$s${clientid}/a/#"), .remote,
                "the remote side has a variable in a first level that begins with `$`:"
                    + " write such a level without variables, as in `$SYS`"
            ),
            (
                Route(local: "a", remote: "b", maximumQoS: 3), .maximumQoS,
                "the highest QoS is 3: it has to be 0, 1 or 2"
            ),
        ])
    func refuses(route: Route, field: RouteError.Field, message: String) {
        #expect(throws: RouteError(routeIndex: 1, field: field, message: message)) {
            try RoutingTable(routes: [Route(local: "x", remote: "y"), route], unrouted: .pass)
        }
    }

    @Test(
        "accepts a route",
        arguments: [
            ("#", "device/${clientid}/#"),
            ("a/+/b/+", "+/+"),
            ("$SYS/#", "$SYS/#"),
            ("a", "dev-${clientid}-${username}/${peer}"),
            ("a/#", "$s/${clientid}/#"),
        ])
    func takes(local: String, remote: String) throws {
        let table = try RoutingTable(routes: [Route(local: local, remote: remote)], unrouted: .pass)
        #expect(!table.isEmpty)
    }

    @Test("knows which variables it uses")
    func uses() throws {
        let table = try RoutingTable(routes: [Route(local: "a", remote: "b/${username}")], unrouted: .pass)
        #expect(table.uses(.username))
        #expect(!table.uses(.clientID))
    }

    @Test(
        "refuses the value of a variable",
        arguments: [
            ("", "${clientid} is empty, and the remote topic needs a value"),
            ("a/b", #"${clientid} is "a/b": a value with `/`, `+`, `#` or NUL cannot be part of a topic"#),
            ("+", #"${clientid} is "+": a value with `/`, `+`, `#` or NUL cannot be part of a topic"#),
            ("a#", #"${clientid} is "a#": a value with `/`, `+`, `#` or NUL cannot be part of a topic"#),
            ("\n\0", #"${clientid} is "\u{A}\u{0}": a value with `/`, `+`, `#` or NUL cannot be part of a topic"#),
            // A combining mark does not hide the byte.
            (
                "a/\u{301}b",
                "${clientid} is \"a/\u{301}b\": a value with `/`, `+`, `#` or NUL cannot be part of a topic"
            ),
            (String(repeating: "x", count: 65_530), "the remote side is longer than 65535 bytes"),
        ])
    func refusesValue(value: String, message: String) throws {
        let table = try RoutingTable(
            routes: [Route(local: "x", remote: "y"), Route(local: "a/#", remote: "device/${clientid}/#")],
            unrouted: .pass)
        #expect(throws: RouteError(routeIndex: 1, field: .remote, message: message)) {
            try table.resolved(with: RouteVariables(clientID: value, username: "#"))
        }
    }

    @Test("a device's name cannot lead into another part of the topic tree", arguments: ["$share", "$SYS", "$"])
    func refusesDollar(value: String) throws {
        let table = try RoutingTable(routes: [Route(local: "a/#", remote: "${clientid}/#")], unrouted: .pass)
        #expect(throws: RouteError.self) { try table.resolved(with: RouteVariables(clientID: value)) }
        let deeper = try RoutingTable(routes: [Route(local: "a/#", remote: "d/${clientid}/#")], unrouted: .pass)
        let routes = try deeper.resolved(with: RouteVariables(clientID: value))
        #expect(routes.remoteTopic(for: "a/x")?.topic == "d/\(value)/x")
    }

    @Test("a value matters only if a route uses it")
    func unusedValue() throws {
        let table = try RoutingTable(routes: [Route(local: "a", remote: "b/${clientid}")], unrouted: .pass)
        let routes = try table.resolved(with: RouteVariables(clientID: "c", username: "/"))
        #expect(routes.remoteTopic(for: "a")?.topic == "b/c")
    }

    static let routes = [
        Route(local: "telemetry/#", remote: "device/${clientid}/telemetry/#", direction: .up),
        Route(local: "commands/#", remote: "device/${clientid}/commands/#", direction: .down),
        Route(local: "rooms/+/lamp", remote: "site/lamps/+"),
        Route(local: "rooms/#", remote: "site/rooms/#"),
    ]

    private func resolved() throws -> ResolvedRoutes {
        try RoutingTable(routes: Self.routes, unrouted: .reject).resolved(with: RouteVariables(clientID: "d1"))
    }

    @Test(
        "up: the first matching route that goes up is used",
        arguments: [
            ("telemetry", "device/d1/telemetry"),
            ("telemetry/a/b", "device/d1/telemetry/a/b"),
            ("commands/x", nil),
            ("rooms/7/lamp", "site/lamps/7"),
            ("rooms/7/door", "site/rooms/7/door"),
            ("$delayed/60/telemetry/a", "$delayed/60/device/d1/telemetry/a"),
            ("$delayed/x/telemetry/a", nil),
            ("$delayed/60/", nil),
            ("$share/g/telemetry/a", nil),
            ("$SYS/x", nil),
        ] as [(String, String?)])
    func up(topic: String, expected: String?) throws {
        #expect(try resolved().remoteTopic(for: topic)?.topic == expected)
    }

    @Test(
        "down: the first matching route that goes down is used",
        arguments: [
            ("device/d1/commands/go", "commands/go"),
            ("device/d1/telemetry/x", nil),
            ("device/d2/commands/go", nil),
            ("site/lamps/7", "rooms/7/lamp"),
            ("$delayed/60/site/lamps/7", nil),
        ] as [(String, String?)])
    func down(topic: String, expected: String?) throws {
        #expect(try resolved().localTopic(for: topic)?.topic == expected)
    }

    @Test(
        "a filter becomes its intersections with the routes",
        arguments: [
            ("#", ["device/d1/commands/#", "site/lamps/+", "site/rooms/#"]),
            ("+/+", ["device/d1/commands/+", "site/rooms/+"]),
            ("commands", ["device/d1/commands"]),
            ("rooms/7/lamp", ["site/lamps/7", "site/rooms/7/lamp"]),
            ("telemetry/#", []),
            ("$SYS/#", []),
            ("$share/g/#", ["$share/g/device/d1/commands/#", "$share/g/site/lamps/+", "$share/g/site/rooms/#"]),
            ("$queue/commands/a", ["$queue/device/d1/commands/a"]),
            ("$exclusive/commands/a", ["$exclusive/device/d1/commands/a"]),
            ("$share//commands/a", []),
            ("$share/+/commands/a", []),
            ("$share/g", []),
            ("$share/g/$SYS/#", []),
            ("$delayed/60/commands/a", []),
        ])
    func filters(filter: String, expected: [String]) throws {
        #expect(try resolved().remoteFilters(for: filter).map(\.filter) == expected)
    }

    @Test("a remote filter that two routes give is sent only once")
    func duplicates() throws {
        let routes = try RoutingTable(
            routes: [Route(local: "a/#", remote: "x/#"), Route(local: "b/#", remote: "x/#")], unrouted: .pass
        ).resolved(with: RouteVariables())
        #expect(routes.remoteFilters(for: "#") == [ResolvedRoutes.MappedFilter(filter: "x/#", routeIndex: 0)])
    }

    /// A topic has at least one character [MQTT-4.7.3-1].
    @Test(
        "a filter that shares only the empty topic with a route is not sent",
        arguments: [("/#", "+"), ("+", "/#")])
    func emptyTopic(local: String, filter: String) throws {
        let routes = try RoutingTable(
            routes: [Route(local: local, remote: "x/\(local)")], unrouted: .reject
        ).resolved(with: RouteVariables())
        #expect(routes.remoteFilters(for: filter).isEmpty)
    }

    @Test("remote filters that only look the same are both sent")
    func exactDuplicates() throws {
        let routes = try RoutingTable(
            routes: [Route(local: "a/#", remote: "\u{E9}/#"), Route(local: "b/#", remote: "e\u{301}/#")],
            unrouted: .pass
        ).resolved(with: RouteVariables())
        #expect(routes.remoteFilters(for: "#").count == 2)
    }

    @Test("response topics are mapped by routes of any direction")
    func responses() throws {
        let routes = try resolved()
        #expect(routes.remoteResponseTopic(for: "commands/r") == "device/d1/commands/r")
        #expect(routes.localResponseTopic(for: "device/d1/telemetry/r") == "telemetry/r")
        #expect(routes.localResponseTopic(for: "$delayed/5/device/d1/telemetry/r") == "$delayed/5/telemetry/r")
        #expect(routes.remoteResponseTopic(for: "other") == nil)
    }

    @Test("`$SYS` is routed only if a route names it")
    func system() throws {
        let routes = try RoutingTable(
            routes: [Route(local: "#", remote: "d/#"), Route(local: "$SYS/#", remote: "$SYS/#")], unrouted: .reject
        ).resolved(with: RouteVariables())
        #expect(routes.remoteFilters(for: "$SYS/broker").map(\.filter) == ["$SYS/broker"])
        #expect(routes.remoteFilters(for: "#").map(\.filter) == ["d/#"])
        #expect(routes.localTopic(for: "$SYS/broker")?.topic == "$SYS/broker")
    }
}
