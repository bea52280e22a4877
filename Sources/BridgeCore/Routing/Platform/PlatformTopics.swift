/// What the broker of TESAIoT does with the topics of one device.
///
/// Its access list knows `device/<id>/` and `devices/<id>/`, denies those of other devices, and there denies `heartbeat`
/// and `data` by name; it may allow a device further kinds of topics one by one, so these are left to the broker.
///
/// A class, so that devices of other brokers have room for a reference only.
package final class PlatformTopics: Sendable, Equatable {
    private let clientID: String
    private let username: String

    /// - Parameters:
    ///   - clientID: As the broker sees it. The client id and the user name are both accepted as the device's id.
    ///   - username: As the broker sees it.
    package init(clientID: String, username: String) {
        self.clientID = clientID
        self.username = username
    }

    /// - Parameter topic: What the broker sees. `nil` if the broker takes the message as any other one.
    package func finding(publishing topic: String) -> PlatformFinding? {
        var levels = TopicLevels(MarkedTopic(publishTopic: topic).topic)
        guard let root = levels.next(), let space = Self.space(root), let id = levels.next() else { return nil }
        guard isOwn(id) else { return .anotherDevice }
        return levels.next().flatMap { Self.finding(space, kind: $0, isDeeper: levels.rest != nil) }
    }

    /// - Parameter filter: What the broker sees. `nil` if nothing is known against it.
    package func finding(subscribing filter: String) -> PlatformFinding? {
        var levels = TopicLevels(MarkedTopic(filter: filter).topic)
        guard let root = levels.next() else { return nil }
        if root.isMultiLevelWildcard { return .deniedFilter }
        guard Self.space(root) != nil || root.isSingleLevelWildcard, let id = levels.next(), !isOwn(id) else {
            return nil
        }
        // Below another first level the same text may be something else than an id.
        let isAnyDevice = id.isSingleLevelWildcard || id.isMultiLevelWildcard
        return isAnyDevice || !root.isSingleLevelWildcard ? .deniedFilter : nil
    }

    private func isOwn(_ id: Substring) -> Bool {
        // A device that shows neither has no id that could be compared.
        if clientID.isEmpty, username.isEmpty { return true }
        return !id.isEmpty && (id.hasSameBytes(as: username) || id.hasSameBytes(as: clientID))
    }

    package static func == (left: PlatformTopics, right: PlatformTopics) -> Bool {
        left.clientID.hasSameBytes(as: right.clientID) && left.username.hasSameBytes(as: right.username)
    }
}

// MARK: - Rules

extension PlatformTopics {
    /// The two namespaces of devices.
    enum Space: String, CaseIterable {
        case device, devices
    }

    private static let deniedKinds = ["heartbeat", "data"]

    static func space(_ level: Substring) -> Space? {
        Space.allCases.first { level.hasSameBytes(as: $0.rawValue) }
    }

    /// - Parameter isDeeper: Whether further levels follow the kind.
    static func finding(_ space: Space, kind: Substring, isDeeper: Bool) -> PlatformFinding? {
        if deniedKinds.contains(where: { kind.hasSameBytes(as: $0) }) { return .deniedKind }
        return space == .devices && isDeeper && kind.hasSameBytes(as: "telemetry") ? .neverIngested : nil
    }
}
