import TestSupport
import Testing

@testable import BridgeCore

/// Compares the verdict "never used" with what the routes do with every topic of a small world.
@Suite("Routing: never used, against brute force")
struct RouteCoverTests {
    /// `z` and `$z` are named by no route. Topics have up to four levels, two more than the routes have without `#`.
    private static let levels = ["a", "b", "$s", "", "z", "$z"]

    private static let topics: [String] = {
        var all: [String] = []
        var last = [""]
        for depth in 0..<4 {
            last = last.flatMap { start in levels.map { depth == 0 ? $0 : "\(start)/\($0)" } }
            all += last
        }
        return all.filter { !$0.isEmpty }
    }()

    /// A side with as many wildcards as it is told.
    private static func side(
        singles: Int, hasTail: Bool, depth: Int, _ random: inout SplitMix64
    ) -> String {
        var levels = (0..<max(0, depth - singles)).map { _ in ["a", "b", "$s", ""].randomElement(using: &random) ?? "a"
        }
        for _ in 0..<singles { levels.insert("+", at: Int.random(in: 0...levels.count, using: &random)) }
        if hasTail { levels.append("#") }
        return levels.joined(separator: "/")
    }

    private static func route(_ random: inout SplitMix64) -> Route? {
        let singles = Int.random(in: 0...2, using: &random)
        let hasTail = random.chance(0.5)
        let depths = (0..<2).map { _ in Int.random(in: 0...2, using: &random) }
        let sides = depths.map { side(singles: singles, hasTail: hasTail, depth: $0, &random) }
        let route = Route(
            local: sides[0], remote: sides[1],
            direction: Route.Direction.allCases.randomElement(using: &random) ?? .both)
        return (try? RoutingTable(routes: [route], unrouted: .reject)) == nil ? nil : route
    }

    @Test("agrees for random routes", arguments: 0..<6)
    func agrees(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        var neverUsed = 0
        var used = 0
        for _ in 0..<40 {
            let routes = (0..<40).compactMap { _ in Self.route(&random) }.prefix(Int.random(in: 2...6, using: &random))
            let resolved = try RoutingTable(routes: Array(routes), unrouted: .reject).resolved(with: RouteVariables())
            let up = Set(Self.topics.compactMap { resolved.remoteTopic(for: $0)?.routeIndex })
            let down = Set(Self.topics.compactMap { resolved.localTopic(for: $0)?.routeIndex })
            let findings = RouteAudit.findings(Array(routes))
            for (index, route) in routes.enumerated() {
                let isUsedUp = route.direction != .down && up.contains(index)
                let isUsedDown = route.direction != .up && down.contains(index)
                let kinds = findings.filter { $0.index == index }.map(\.kind)
                let context = "\(index) of \(Array(routes)), seed \(seed)"
                #expect(kinds.contains(.neverUsed) == (!isUsedUp && !isUsedDown), "\(context)")
                guard route.direction == .both, isUsedUp || isUsedDown else {
                    if isUsedUp || isUsedDown { used += 1 } else { neverUsed += 1 }
                    continue
                }
                #expect(kinds.contains(.neverUsedUp) == !isUsedUp, "\(context)")
                #expect(kinds.contains(.neverUsedDown) == !isUsedDown, "\(context)")
            }
        }
        #expect(neverUsed > 5 && used > 50)
    }

    @Test("names only routes that are needed to take all topics", arguments: 0..<4)
    func needed(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(100 + seed))
        for _ in 0..<80 {
            var routes = (0..<40).compactMap { _ in Self.route(&random) }
                .prefix(Int.random(in: 2...6, using: &random)).map { $0 }
            for index in routes.indices { routes[index].direction = .up }
            for finding in RouteAudit.findings(routes) where finding.kind == .neverUsed {
                let needed = finding.earlier.map { routes[$0] }
                func topicsLeft(_ earlier: [Route]) throws -> Int {
                    let resolved = try RoutingTable(routes: earlier + [routes[finding.index]], unrouted: .reject)
                        .resolved(with: RouteVariables())
                    return Self.topics.count { resolved.remoteTopic(for: $0)?.routeIndex == earlier.count }
                }
                #expect(try topicsLeft(needed) == 0)
                for index in needed.indices {
                    var fewer = needed
                    fewer.remove(at: index)
                    #expect(try topicsLeft(fewer) > 0, "\(finding) in \(routes)")
                }
            }
        }
    }
}
