/// Whether a topic matches a topic filter (MQTT 5 4.7.1).
enum FilterMatch {
    /// Both are valid. A filter that begins with a wildcard does not match a topic that begins with `$` [MQTT-4.7.2-1].
    static func matches(_ filter: String, topic: String) -> Bool {
        let levels = topic.split(separator: "/", omittingEmptySubsequences: false)
        var names = levels[...]
        if topic.hasPrefix("$"), filter.hasPrefix("+") || filter.hasPrefix("#") { return false }
        for part in filter.split(separator: "/", omittingEmptySubsequences: false) {
            if part == "#" { return true }
            guard let name = names.popFirst(), part == "+" || part == name else { return false }
        }
        return names.isEmpty
    }
}
