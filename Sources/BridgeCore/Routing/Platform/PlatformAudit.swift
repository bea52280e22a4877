/// What a platform does with the messages of a route, as far as that is known before any device connects.
package struct PlatformAudit: Sendable, Equatable {
    /// Position of the route in the list, counted from 0.
    package var index: Int
    package var finding: PlatformFinding
    /// Whether messages of some devices may still be fine: only the device whose id the route names may publish there.
    package var isPartial: Bool

    /// The findings about routes, at most one per route. The routes have to be valid.
    ///
    /// - Parameter deviceIDs: The user name and the client id that all devices have at the broker; `nil` if devices differ
    ///   in one of them.
    package static func findings(_ routes: [Route], deviceIDs: [String]?) -> [PlatformAudit] {
        routes.enumerated().compactMap { index, route in
            guard let remote = try? TemplateString(parsing: route.remote) else { return nil }
            return finding(remote, isPublished: route.direction != .down, deviceIDs).map {
                PlatformAudit(index: index, finding: $0.finding, isPartial: $0.isPartial)
            }
        }
    }

    private static func finding(
        _ remote: TemplateString, isPublished: Bool, _ deviceIDs: [String]?
    ) -> (finding: PlatformFinding, isPartial: Bool)? {
        // No value contains a separator, so each variable stays inside its level. No topic contains U+0000.
        let text = remote.render { "\u{0}\($0.rawValue)" }
        var levels = TopicLevels(MarkedTopic(publishTopic: text).topic)
        guard let root = levels.next(), let space = PlatformTopics.space(root), let id = levels.next() else {
            return nil
        }
        if isPublished, let kind = levels.next(),
            let finding = PlatformTopics.finding(space, kind: kind, isDeeper: levels.rest != nil)
        {
            return (finding, false)
        }
        guard isFixed(id) else { return nil }
        let finding = isPublished ? PlatformFinding.anotherDevice : .deniedFilter
        guard let deviceIDs else { return (finding, true) }
        return deviceIDs.contains { id.hasSameBytes(as: $0) } ? nil : (finding, false)
    }

    /// Whether the level is the same for all devices and messages.
    private static func isFixed(_ level: Substring) -> Bool {
        !level.utf8.contains(0) && !level.isSingleLevelWildcard && !level.isMultiLevelWildcard
    }
}
