import TestSupport
import Testing

@testable import BridgeCore

@Suite("Routing: routes that are never used or overlap")
struct RouteAuditTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var routes: [Route]
        var findings: [RouteFinding]
        var testDescription: String { name }

        init(_ name: String, _ routes: [Route], _ findings: RouteFinding...) {
            self.name = name
            self.routes = routes
            self.findings = findings
        }
    }

    static let harmlessCases = [
        Case("no routes", []),
        Case("one route", [Route(local: "#", remote: "#")]),
        Case("different topics", [Route(local: "a/#", remote: "x/#"), Route(local: "b/#", remote: "y/#")]),
        Case(
            "a part before the whole",
            [Route(local: "a/b", remote: "x/b", direction: .up), Route(local: "a/#", remote: "y/#", direction: .up)]),
        Case(
            "the same topics in different directions",
            [Route(local: "a/#", remote: "x/#", direction: .up), Route(local: "a/#", remote: "x/#", direction: .down)]),
        Case(
            "an overlap that changes nothing",
            [
                Route(local: "a/+/c", remote: "x/+/c", direction: .up),
                Route(local: "a/b/+", remote: "x/b/+", direction: .up),
            ]),
        Case("a $ topic after #", [Route(local: "#", remote: "x/#"), Route(local: "$SYS/#", remote: "$SYS/#")]),
        Case(
            "variables that are not the literal",
            [Route(local: "a/#", remote: "d/x/#"), Route(local: "b/#", remote: "d/${clientid}/#")]),
        Case(
            "the parent, which + as the whole other side cannot take when it is empty",
            [
                Route(local: "a/+", remote: "+", direction: .up), Route(local: "a/", remote: "x", direction: .up),
            ]),
    ]

    @Test("says nothing about routes that are as they should be", arguments: harmlessCases)
    func harmless(_ item: Case) {
        #expect(RouteAudit.findings(item.routes) == [])
    }

    static let foundCases = [
        Case(
            "# first", [Route(local: "#", remote: "x/#"), Route(local: "a/b", remote: "x/a/b")],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsed)),
        Case(
            "the same route twice", [Route(local: "a", remote: "x"), Route(local: "a", remote: "x")],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsed)),
        Case(
            "+ before a name",
            [
                Route(local: "a/+", remote: "x/+", direction: .up), Route(local: "a/b", remote: "y/b", direction: .up),
            ],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsed)),
        Case(
            "both directions, one of them taken",
            [Route(local: "a/#", remote: "x/#", direction: .up), Route(local: "a/b", remote: "y/b")],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsedUp)),
        Case(
            "the other one taken",
            [Route(local: "a/#", remote: "x/#", direction: .down), Route(local: "b/b", remote: "x/b")],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsedDown)),
        Case(
            "two together",
            [
                Route(local: "a", remote: "x", direction: .up), Route(local: "a/+/#", remote: "x/+/#", direction: .up),
                Route(local: "b", remote: "z", direction: .up), Route(local: "a/#", remote: "y/#", direction: .up),
            ],
            RouteFinding(index: 3, earlier: [0, 1], kind: .neverUsed)),
        Case(
            "the same variable",
            [
                Route(local: "a/#", remote: "d/${clientid}/#", direction: .down),
                Route(local: "b/+", remote: "d/${clientid}/+", direction: .down),
            ],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsed)),
        Case(
            "+ before a variable",
            [
                Route(local: "a/+", remote: "d/+", direction: .down),
                Route(local: "b", remote: "d/${username}", direction: .down),
            ],
            RouteFinding(index: 1, earlier: [0], kind: .neverUsed)),
        Case(
            "crossing topics",
            [
                Route(local: "a/+/c", remote: "x/+/c", direction: .up),
                Route(local: "a/b/+", remote: "y/b/+", direction: .up),
            ],
            RouteFinding(
                index: 1, earlier: [0], kind: .contested(topic: "a/b/c", remote: "x/b/c", instead: "y/b/c"))),
        Case(
            "crossing topics, only the QoS differs",
            [
                Route(local: "a/+/c", remote: "x/+/c", direction: .up, maximumQoS: 1),
                Route(local: "a/b/+", remote: "x/b/+", direction: .up),
            ],
            RouteFinding(
                index: 1, earlier: [0], kind: .contested(topic: "a/b/c", remote: "x/b/c", instead: "x/b/c"))),
        Case(
            "one remote topic for two local ones",
            [
                Route(local: "s/x", remote: "r/${clientid}/x", direction: .down),
                Route(local: "t/#", remote: "r/${clientid}/#", direction: .down),
            ],
            RouteFinding(
                index: 1, earlier: [0],
                kind: .comesBackElsewhere(remote: "r/${clientid}/x", local: "s/x", instead: "t/x"))),
        Case(
            "two subscriptions for one",
            [
                Route(local: "a/b", remote: "x/b", direction: .down, maximumQoS: 0),
                Route(local: "a/#", remote: "x/#", direction: .down),
            ],
            RouteFinding(index: 1, earlier: [0], kind: .subscribedTwice(local: "a/#", remote: "x/b"))),
        Case(
            "no never-used route is also said to overlap",
            [
                Route(local: "a/+/c", remote: "x/+/c"), Route(local: "a/#", remote: "y/#"),
                Route(local: "a/b/+", remote: "y/b/+", direction: .up),
            ],
            RouteFinding(index: 2, earlier: [1], kind: .neverUsed)),
    ]

    @Test("finds what has no effect, or one that nobody meant", arguments: foundCases)
    func found(_ item: Case) {
        #expect(RouteAudit.findings(item.routes) == item.findings)
    }

    @Test("says nothing about routes that are not valid")
    func invalid() {
        #expect(RouteAudit.findings([Route(local: "a/#", remote: "b"), Route(local: "a/#", remote: "b")]).isEmpty)
    }

    /// A thousand routes with as many overlaps as possible must not delay a start.
    @Test("gives up in time", .timeLimit(.minutes(2)))
    func gigantic() {
        var random = SplitMix64(seed: 7)
        let routes = (0..<1_000).map { _ in
            let levels = (0..<9).map { _ in random.chance(0.6) ? "+" : random.chance(0.5) ? "a" : "b" }
            let side = levels.joined(separator: "/")
            return Route(local: side, remote: side)
        }
        #expect(
            RouteAudit.findings(routes).allSatisfy {
                !$0.earlier.isEmpty && $0.earlier.allSatisfy(routes.indices.contains)
            })
    }
}
