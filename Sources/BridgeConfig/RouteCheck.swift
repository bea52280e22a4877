import BridgeCore

/// What can be said of routes before any device is there: whether their sides are filters, have the same shape, and
/// name variables that exist. The one place where the loader asks about routes.
package enum RouteCheck {
    package struct Problem: Sendable, Equatable {
        /// Into the routes given, from 0.
        package var index: Int
        package var side: Side
        package var message: String

        package enum Side: String, Sendable {
            case local, remote
        }
    }

    /// At most one for each side of each route.
    package static func problems(in routes: [Route], unrouted: UnroutedPolicy) -> [Problem] {
        routes.enumerated().flatMap { index, route in
            problems(in: route).map { Problem(index: index, side: $0.side, message: $0.message) }
        }
    }

    private static func problems(in route: Route) -> [(side: Problem.Side, message: String)] {
        var problems: [(side: Problem.Side, message: String)] = []
        if route.local.contains("${") {
            problems.append((.local, "the local side takes no variables; write the topic as devices use it"))
        } else if let problem = problem(withFilter: route.local) {
            problems.append((.local, problem))
        }
        if let problem = Variables.problem(in: route.remote) ?? problem(withFilter: route.remote) {
            problems.append((.remote, problem))
        }
        guard problems.isEmpty else { return problems }
        let local = shape(of: route.local)
        let remote = shape(of: route.remote)
        if local.plus != remote.plus {
            problems.append(
                (.remote, "has \(remote.plus) + and local has \(local.plus); both sides need the same number"))
        }
        if local.hash != remote.hash {
            let side = local.hash ? "local ends in # and remote does not" : "remote ends in # and local does not"
            problems.append((.remote, "\(side); both do, or neither"))
        }
        return problems
    }

    /// MQTT 4.7.1.
    private static func problem(withFilter filter: String) -> String? {
        let levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        for (index, level) in levels.enumerated() {
            if level.contains("#"), level != "#" || index != levels.count - 1 {
                return "# stands alone in the last level, as in a/b/#"
            }
            if level.contains("+"), level != "+" { return "+ stands alone in its level, as in a/+/b" }
        }
        return nil
    }

    private static func shape(of filter: String) -> (plus: Int, hash: Bool) {
        let levels = filter.split(separator: "/", omittingEmptySubsequences: false)
        return (levels.count { $0 == "+" }, levels.last == "#")
    }
}
