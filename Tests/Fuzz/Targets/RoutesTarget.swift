import BridgeCore
import MQTTCodec
import TestSupport

/// A topic that a route maps there comes back as itself, and a subscription to it gets what comes back.
///
/// The input is lines: client id, user name, topic, filter, and then one line per route, `local remote`, with the
/// direction as the first character.
package enum RoutesTarget: FuzzTarget {
    package static let name = "routes"
    package static let summary = "a topic through a route comes back, and subscriptions to it fit"
    package static let maximumLength = 512
    package static let seeds = [
        "d1\nuser\ntelemetry/t\ntelemetry/#\nbtelemetry/# device/${username}/telemetry/#",
        "d1\nuser\nrooms/1/lamp\nrooms/+/lamp\nbrooms/+/lamp site/lamps/+\nu# x/#",
        "d1\nu\n$delayed/5/a/b\n$share/g/a/#\nba/# ${clientid}/#\nd# ${listener}/${peer}/#",
        "d1\nu\n/\n#\nb# x/#\nb+/+ x/+/+",
        "d1\nu\na\na/#\nba/# #\nbb x",
    ].map { Array($0.utf8) }
    package static let words = [
        "${clientid}", "${username}", "$share/g/", "$queue/", "$delayed/1/", "$SYS/", "/#", "/+/",
    ]
    .map { Array($0.utf8) }

    package static func run(_ input: [UInt8]) throws {
        guard let text = String(validating: input, as: UTF8.self) else { return }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count > 4, let table = try? RoutingTable(routes: routes(lines[4...]), unrouted: .reject) else {
            return
        }
        let variables = RouteVariables(clientID: lines[0], username: lines[1], listener: "lan", peer: "192.0.2.1")
        guard let routes = try? table.resolved(with: variables) else { return }
        if (try? TopicName.validate(lines[2])) != nil { try checkTopic(lines[2], lines[3], routes) }
        if (try? TopicFilter.validate(lines[3])) != nil { try checkFilter(lines[3], routes) }
    }

    private static func routes(_ lines: ArraySlice<String>) -> [Route] {
        lines.prefix(8).compactMap { line in
            let parts = line.dropFirst().split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let direction: Route.Direction = line.first == "u" ? .up : line.first == "d" ? .down : .both
            return Route(local: String(parts[0]), remote: String(parts[1]), direction: direction)
        }
    }

    private static func checkTopic(_ topic: String, _ filter: String, _ routes: ResolvedRoutes) throws {
        guard let up = routes.remoteTopic(for: topic) else { return }
        try require((try? TopicName.validate(up.topic)) != nil, "\(topic) becomes the invalid topic \(up.topic)")
        // The broker takes the delay away before it delivers.
        guard !topic.utf8.starts(with: "$delayed/".utf8), let down = routes.localTopic(for: up.topic),
            down.routeIndex == up.routeIndex
        else { return }
        try require(down.topic.utf8.elementsEqual(topic.utf8), "\(topic) went up as \(up.topic), back as \(down.topic)")
        guard (try? TopicFilter.validate(filter)) != nil, TopicFilter.matches(filter, topic: topic) else { return }
        let filters = routes.remoteFilters(for: filter).map(\.filter)
        try require(
            filters.contains { TopicFilter.matches($0, topic: up.topic) },
            "\(filter) matches \(topic), but none of \(filters) matches \(up.topic)")
    }

    private static func checkFilter(_ filter: String, _ routes: ResolvedRoutes) throws {
        for mapped in routes.remoteFilters(for: filter) {
            try require(
                (try? TopicFilter.validate(mapped.filter)) != nil, "\(filter) becomes the invalid \(mapped.filter)")
            guard let back = routes.localFilter(for: mapped.filter) else {
                throw FuzzFailure("\(mapped.filter), from \(filter), has no way back")
            }
            try require((try? TopicFilter.validate(back)) != nil, "\(mapped.filter) becomes the invalid \(back)")
        }
    }
}
