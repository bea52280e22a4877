/// The rules for the filters of subscriptions (MQTT 5 4.7 and 4.8.2).
package enum TopicFilter {
    static let sharePrefix = "$share/"

    /// Whether the filter has the form `$share/{ShareName}/{filter}` (MQTT 5 4.8.2). Older versions do not know this
    /// form.
    package static func isShared(_ filter: String) -> Bool { filter.utf8.starts(with: sharePrefix.utf8) }

    /// - Throws: If `filter` is empty, is longer than 65 535 bytes of UTF-8, or holds U+0000, a `#` that is not alone
    ///   in the last level, or a `+` that is not alone in its level; in MQTT 5 also if it begins with `$share/` and a
    ///   share name and a filter do not follow.
    package static func validate(_ filter: String, version: MQTTVersion = .v5_0) throws(MQTTError) {
        try validate(filter, "topic filter", version)
    }

    static func validate(_ filter: String, _ field: String, _ version: MQTTVersion) throws(MQTTError) {
        try validateLength(filter, field, version)
        let levels = version.hasProperties && isShared(filter) ? try sharedFilter(filter, field, version) : filter[...]
        try validateLevels(levels.utf8, field, version)
    }

    /// What follows `$share/{ShareName}/`.
    private static func sharedFilter(
        _ filter: String, _ field: String, _ version: MQTTVersion
    ) throws(MQTTError) -> Substring {
        let afterPrefix = filter.utf8.dropFirst(sharePrefix.utf8.count)
        let shareName = afterPrefix.prefix { $0 != UInt8(ascii: "/") }
        guard !shareName.isEmpty else {
            throw MQTTError(.malformed, .shareNameEmpty, version, "\(field) has an empty share name")
        }
        guard !shareName.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }) else {
            throw MQTTError(.malformed, .shareName, version, "\(field) has a wildcard in its share name")
        }
        // The share name ends at a slash, or at the end of the filter if there is none.
        guard shareName.endIndex != afterPrefix.endIndex else {
            throw MQTTError(.malformed, .shareName, version, "\(field) ends after its share name")
        }
        let shared = afterPrefix[shareName.endIndex...].dropFirst()
        guard !shared.isEmpty else {
            throw MQTTError(.malformed, .emptyTopic, version, "\(field) is empty after its share name")
        }
        return Substring(shared)
    }

    static func validateLength(_ topic: String, _ field: String, _ version: MQTTVersion) throws(MQTTError) {
        guard !topic.isEmpty else { throw MQTTError(.malformed, .emptyTopic, version, "\(field) is empty") }
        guard topic.utf8.count <= UInt16.max else {
            throw MQTTError(.malformed, .topicLength, version, "\(field) is longer than 65535 bytes")
        }
    }

    private static func validateLevels(
        _ filter: Substring.UTF8View, _ field: String, _ version: MQTTVersion
    ) throws(MQTTError) {
        let slash = UInt8(ascii: "/")
        let plus = UInt8(ascii: "+")
        let hash = UInt8(ascii: "#")
        // The first byte begins a level, as if a slash stood before it.
        var previous = slash
        for byte in filter {
            guard byte != 0 else { throw MQTTError(.malformed, .nullInTopic, version, "\(field) holds U+0000") }
            guard previous != hash, byte != hash || previous == slash else {
                throw MQTTError(
                    .malformed, .multiLevelWildcard, version, "\(field) has a # that is not alone in the last level")
            }
            guard byte != plus || previous == slash, previous != plus || byte == slash else {
                throw MQTTError(
                    .malformed, .singleLevelWildcard, version, "\(field) has a + that is not alone in its level")
            }
            previous = byte
        }
    }
}
