import MQTTCodec

/// A finding about a session's topics that the operator has not been told of.
package struct PlatformNotice: Sendable, Equatable {
    package var finding: PlatformFinding
    /// The topic or filter as the broker would have seen it, cut off if it is long.
    package var topic: String
}

/// The first topic of a session for each finding. At most one entry per finding.
struct PlatformNotices: Sendable, Equatable {
    private var first: [PlatformNotice] = []
    /// How many entries, from the beginning, have been taken.
    private var taken = 0

    var hasNew: Bool { taken < first.count }

    mutating func add(_ finding: PlatformFinding, _ topic: String) {
        guard !first.contains(where: { $0.finding == finding }) else { return }
        first.append(PlatformNotice(finding: finding, topic: Self.shortened(topic)))
    }

    /// A session keeps its notices, and a topic may have 65,535 bytes.
    private static func shortened(_ topic: String) -> String {
        let limit = 256
        guard topic.utf8.count > limit else { return topic }
        return String(topic.unicodeScalars.prefix(limit)) + "..."
    }

    mutating func takeNew() -> [PlatformNotice] {
        defer { taken = first.count }
        return Array(first[taken...])
    }
}

extension PacketRouter {
    /// What the platform makes of a topic with that fate. Counts and remembers its finding.
    ///
    /// - Parameter local: The topic as the device wrote it; empty if the message has only an alias.
    mutating func judged(_ fate: TopicFate, of local: String) -> TopicFate {
        guard let platform = routes.platform else { return fate }
        switch fate {
        case .forwarded(let remote, _):
            let topic = remote ?? local
            // An alias alone stands for a topic that was judged when the alias was set.
            guard !topic.utf8.isEmpty, let finding = platform.finding(publishing: topic) else { return fate }
            routes.tally?.count(finding)
            notices.add(finding, topic)
            return finding.isRefused ? .denied(finding) : fate
        case .denied(let finding):
            routes.tally?.count(finding)
            return fate
        case .dropped, .refused:
            return fate
        }
    }

    /// What the platform makes of a filter that the device subscribes to, with that fate. Counts and remembers its finding.
    mutating func judged(_ fate: FilterFate, of local: String) -> FilterFate {
        guard let platform = routes.platform else { return fate }
        switch fate {
        case .unchanged:
            return isKeptBack(local, platform) ? .denied : fate
        case .mapped(let mapped):
            let allowed = mapped.filter { !isKeptBack($0.filter, platform) }
            return allowed.isEmpty ? .denied : .mapped(allowed)
        case .dropped, .refused, .denied:
            return fate
        }
    }

    private mutating func isKeptBack(_ filter: String, _ platform: PlatformTopics) -> Bool {
        guard let finding = platform.finding(subscribing: filter) else { return false }
        routes.tally?.count(finding)
        notices.add(finding, filter)
        return finding.isRefused
    }
}
