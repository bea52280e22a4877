import Testing

@testable import BridgeConfig

/// What the loader says about routes that work, but not as their operator is likely to mean it.
@Suite struct RouteWarningTests {
    private static func warnings(_ routes: String...) throws -> [String] {
        try load(minimal + "routes:\n" + routes.map { "  - {\($0)}\n" }.joined()).warnings
    }

    @Test func aRouteThatIsNeverUsedIsNamedWithTheOneBeforeIt() throws {
        #expect(
            try Self.warnings("local: \"a/#\", remote: \"x/#\"", "local: a/b, remote: x/b") == [
                "bridge.yaml:4:13: routes[1]: this route is never used: routes[0] (bridge.yaml:3:13) comes first and"
                    + " takes every topic that it matches; move this one before it, or remove it"
            ])
    }

    @Test func severalTogether() throws {
        let warnings = try Self.warnings(
            "local: a, remote: x, direction: up", "local: \"a/+/#\", remote: \"x/+/#\", direction: up",
            "local: \"a/#\", remote: \"y/#\", direction: up")
        #expect(warnings.count == 1)
        #expect(
            warnings.first?.contains("routes[0] (bridge.yaml:3:13) and routes[1] (bridge.yaml:4:13) come first") == true
        )
    }

    @Test func oneDirection() throws {
        let up = try Self.warnings("local: \"a/#\", remote: \"x/#\", direction: up", "local: a/b, remote: y/b")
        #expect(
            up.count == 1 && up[0].contains("never used for messages of devices") && up[0].contains("direction: down"))
        let down = try Self.warnings("local: \"a/#\", remote: \"x/#\", direction: down", "local: b/b, remote: x/b")
        #expect(down.count == 1 && down[0].hasPrefix("bridge.yaml:4:26: routes[1]"))
        #expect(down[0].contains("never used for messages of the broker") && down[0].contains("direction: up"))
    }

    @Test func overlaps() throws {
        let up = try Self.warnings(
            "local: a/+/c, remote: x/+/c, direction: up", "local: a/b/+, remote: y/b/+, direction: up")
        #expect(up.count == 1 && up[0].contains("on \"a/b/c\" goes to \"x/b/c\", not to \"y/b/c\""))
        let down = try Self.warnings(
            "local: s/x, remote: \"r/${clientid}/x\"", "local: \"t/#\", remote: \"r/${clientid}/#\"")
        #expect(down.count == 1 && down[0].contains("on \"r/${clientid}/x\" reaches a device on \"s/x\""))
        let twice = try Self.warnings("local: a/b, remote: x/b, max_qos: 0", "local: \"a/#\", remote: \"x/#\"")
        #expect(twice.count == 1 && twice[0].contains("has two subscriptions at the broker that match \"x/b\""))
    }

    @Test func thereIsAnEndToWarnings() throws {
        let routes =
            ["  - {local: \"#\", remote: \"#\"}\n"] + (0..<30).map { "  - {local: a/\($0), remote: a/\($0)}\n" }
        let warnings = try load(minimal + "routes:\n" + routes.joined()).warnings
        #expect(warnings.count == 21)
        #expect(warnings.last?.contains("10 more warnings about routes are not shown") == true)
    }

    @Test func theExampleOfTheDocumentationIsFine() throws {
        let warnings = try Self.warnings(
            "local: \"telemetry/#\", remote: \"device/${username}/telemetry/#\", direction: up",
            "local: \"commands/#\", remote: \"device/${username}/commands/#\", direction: down")
        #expect(warnings.isEmpty)
    }
}
