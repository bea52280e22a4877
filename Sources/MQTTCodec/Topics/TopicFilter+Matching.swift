extension TopicFilter {
    /// Whether a broker sends messages of that topic for that filter (MQTT 5 4.7). A share name before the filter
    /// counts for nothing (MQTT 5 4.8.2).
    ///
    /// Both have to be valid.
    package static func matches(_ filter: String, topic: String) -> Bool {
        var levels = filter.utf8[...]
        if isShared(filter) {
            guard let name = levels.dropFirst(sharePrefix.utf8.count).firstIndex(of: UInt8(ascii: "/")) else {
                return false
            }
            levels = levels[levels.index(after: name)...]
        }
        // A wildcard in the first level does not match a topic that begins with $ ([MQTT-4.7.2-1]).
        if topic.utf8.first == UInt8(ascii: "$"), levels.first == UInt8(ascii: "+") || levels.first == UInt8(ascii: "#")
        {
            return false
        }
        return matches(levels, topic.utf8[...])
    }

    private static func matches(_ filter: Substring.UTF8View, _ topic: Substring.UTF8View) -> Bool {
        var filter = Optional(filter)
        var topic = Optional(topic)
        while let pattern = nextLevel(&filter) {
            if pattern.count == 1, pattern.first == UInt8(ascii: "#") { return true }
            // `a/#` matches `a` too, so a missing level is only the end if no # stands for it.
            guard let level = nextLevel(&topic) else { return false }
            guard pattern.count == 1 && pattern.first == UInt8(ascii: "+") || pattern.elementsEqual(level) else {
                return false
            }
            if topic == nil, let rest = filter { return rest.count == 1 && rest.first == UInt8(ascii: "#") }
        }
        return topic == nil
    }

    /// Takes the first level away; `rest` is `nil` after the last one.
    private static func nextLevel(_ rest: inout Substring.UTF8View?) -> Substring.UTF8View? {
        guard let text = rest else { return nil }
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else {
            rest = nil
            return text
        }
        rest = text[text.index(after: slash)...]
        return text[..<slash]
    }
}
