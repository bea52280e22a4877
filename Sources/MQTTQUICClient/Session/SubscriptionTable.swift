import MQTTCodec

/// What the application has subscribed to, and which subscription a message is for.
struct SubscriptionTable: Sendable {
    struct Entry: Sendable {
        var subscriptions: [MQTTSubscription]
        var userProperties: [MQTTUserProperty]
        /// The one in SUBSCRIBE; `nil` if the broker knows none.
        var identifier: UInt32?
        /// Whether the broker has granted it, so that it is subscribed anew in a new session.
        var isGranted = false
    }

    /// Identifiers from here on are this library's own, and the application does not see them.
    static let firstOwnIdentifier: UInt32 = 200_000_000
    /// The greatest identifier of all is 268 435 455 (MQTT 5 3.8.2.1.2).
    private static let ownIdentifiers: UInt64 = 68_435_456

    /// A process that goes on with another one's session must not take the other one's identifiers for its own.
    private static let firstOfProcess = UInt64.random(in: 0..<ownIdentifiers)
    /// What EMQX has in front of a filter, as others have `$share/{ShareName}/`.
    private static let prefixes = ["$queue/", "$exclusive/"]

    private(set) var entries: [ClientOperation: Entry] = [:]

    static func identifier(for operation: ClientOperation) -> UInt32 {
        firstOwnIdentifier + UInt32((firstOfProcess + operation.number % ownIdentifiers) % ownIdentifiers)
    }

    /// In the order in which the application subscribed.
    var inOrder: [(ClientOperation, Entry)] { entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }

    mutating func add(_ operation: ClientOperation, _ entry: Entry) { entries[operation] = entry }

    /// SUBSCRIBE has this identifier.
    mutating func identify(_ operation: ClientOperation, _ identifier: UInt32) {
        entries[operation]?.identifier = identifier
    }

    /// The broker's answer to a SUBSCRIBE: of what was sent, only what it granted remains.
    mutating func granted(_ operation: ClientOperation, _ sent: [MQTTSubscription], _ codes: [MQTTReasonCode]) {
        guard var entry = entries[operation] else { return }
        // Some of them may have been unsubscribed from since.
        let refused = Set(zip(sent, codes).filter { $0.1.isError }.map(\.0.filter))
        entry.subscriptions.removeAll { refused.contains($0.filter) }
        entry.isGranted = true
        entries[operation] = entry.subscriptions.isEmpty ? nil : entry
    }

    /// - Returns: Its filters, which others may be subscribed to as well.
    mutating func remove(_ operation: ClientOperation) -> [String] {
        entries.removeValue(forKey: operation)?.subscriptions.map(\.filter) ?? []
    }

    /// - Returns: The subscriptions that have no filter any more.
    mutating func remove(filters: [String]) -> [ClientOperation] {
        var ended: [ClientOperation] = []
        for (operation, entry) in inOrder where entry.isGranted {
            let rest = entry.subscriptions.filter { !filters.contains($0.filter) }
            entries[operation]?.subscriptions = rest
            guard rest.isEmpty else { continue }
            entries[operation] = nil
            ended.append(operation)
        }
        return ended
    }

    /// Which subscriptions a message is for.
    ///
    /// The identifiers tell it if there are some. Without them, a message that the broker sends once for each of two
    /// overlapping filters goes to both of them each time. Two subscriptions to the same filter are one at the broker,
    /// with the later one's identifier. A broker may have rewritten a filter or a topic, so that none of the filters
    /// matches: then the identifiers alone count.
    func recipients(of topic: String, identifiers: [UInt32]) -> [ClientOperation] {
        let matching = entries.filter { _, entry in
            entry.subscriptions.contains { Self.matches($0.filter, topic: topic) }
        }
        let named = (matching.isEmpty ? entries : matching).filter { _, entry in
            entry.identifier.map(identifiers.contains) ?? false
        }
        guard !named.isEmpty, !matching.isEmpty else { return (matching.isEmpty ? named : matching).keys.sorted() }
        let filters = Set(named.values.flatMap { $0.subscriptions.map(\.filter) })
        let same = matching.filter { _, entry in
            entry.subscriptions.contains {
                filters.contains($0.filter) && Self.matches($0.filter, topic: topic)
            }
        }
        return same.keys.sorted()
    }

    private static func matches(_ filter: String, topic: String) -> Bool {
        if TopicFilter.matches(filter, topic: topic) { return true }
        guard filter.utf8.first == UInt8(ascii: "$"), let prefix = prefixes.first(where: filter.hasPrefix) else {
            return false
        }
        return TopicFilter.matches(String(filter.dropFirst(prefix.count)), topic: topic)
    }
}
