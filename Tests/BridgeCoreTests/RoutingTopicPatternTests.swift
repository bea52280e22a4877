import TestSupport
import Testing

@testable import BridgeCore

@Suite("Routing: patterns")
struct RoutingTopicPatternTests {
    /// Each row has a pattern, a topic, and the topic on the other side, `R/+.../#` (see `mirror(of:)`), which is `nil` if
    /// the topic does not match.
    @Test(
        "a topic matches",
        arguments: [
            ("a/b", "a/b", "R"),
            ("a/b", "a/b/c", nil),
            ("a/b", "a", nil),
            ("a/b", "a/B", nil),
            ("a/+", "a/x", "R/x"),
            ("a/+", "a/", "R/"),
            ("a/+", "a", nil),
            ("a/+", "a/x/y", nil),
            ("+", "x", "R/x"),
            ("+/+", "/x", "R//x"),
            ("/+", "/x", "R/x"),
            ("+", "/x", nil),
            ("a/#", "a", "R"),
            ("a/#", "a/", "R/"),
            ("a/#", "a/b/c", "R/b/c"),
            ("a/#", "ab", nil),
            ("a/+/#", "a/x", "R/x"),
            ("a/+/#", "a/x/y/z", "R/x/y/z"),
            ("a/+/#", "a", nil),
            ("a/+/b/+", "a/x/b/y", "R/x/y"),
            ("#", "x/y", "R/x/y"),
            ("#", "/", "R//"),
            // MQTT 4.7.2
            ("#", "$SYS/x", nil),
            ("+/x", "$SYS/x", nil),
            ("$SYS/#", "$SYS/x", "R/x"),
            ("a/+", "a/$x", "R/$x"),
            // Topics are compared by their bytes, not by what they look like [MQTT-4.7.3-4].
            ("\u{E9}", "e\u{301}", nil),
            ("a/+", "a/\u{301}x", "R/\u{301}x"),
            ("a/#", "a\u{301}/b", nil),
        ] as [(String, String, String?)])
    func topicMatches(pattern: String, topic: String, mapped: String?) throws {
        let pattern = try TopicPattern(parsing: pattern)
        let captures = pattern.captures(in: topic[...])
        let result = try captures.flatMap { try mirror(of: pattern).filled(with: $0) }
        #expect(result.map { Array($0.utf8) } == mapped.map { Array($0.utf8) })
        if let captures {
            #expect(pattern.filled(with: captures).map { Array($0.utf8) } == Array(topic.utf8))
        }
    }

    @Test(
        "filters intersect",
        arguments: [
            ("a/b", "a/b", "a/b"),
            ("a/b", "a/c", nil),
            ("a/b", "+/b", "a/b"),
            ("a/+", "+/b", "a/b"),
            ("a/+", "a/+", "a/+"),
            ("a/#", "#", "a/#"),
            ("a/#", "+/#", "a/#"),
            ("a/#", "+", "a"),
            ("a/#", "+/+", "a/+"),
            ("a/#", "a", "a"),
            ("a", "a/#", "a"),
            ("a/b", "a/#", "a/b"),
            ("a/+", "a/#", "a/+"),
            ("a/+/c/#", "#", "a/+/c/#"),
            ("a/+/c/#", "a/b/#", "a/b/c/#"),
            ("a/+/c/#", "a/b", nil),
            ("a/b/#", "a/+/c/#", "a/b/c/#"),
            ("+/b/#", "a/#", "a/b/#"),
            ("#", "#", "#"),
            ("+/#", "#", "+/#"),
            ("#", "$SYS/#", nil),
            ("$SYS/#", "#", nil),
            ("$SYS/#", "+/a", nil),
            ("$SYS/#", "$SYS/+/a", "$SYS/+/a"),
            ("a/#", "a/$share/g/#", "a/$share/g/#"),
        ] as [(String, String, String?)])
    func filtersIntersect(pattern: String, filter: String, expected: String?) throws {
        let pattern = try TopicPattern(parsing: pattern)
        #expect(pattern.captures(in: filter[...]).flatMap(pattern.filled) == expected)
    }

    @Test(
        "captures fill the other side",
        arguments: [
            ("dev/#", "dev/x/y", "#", "x/y"),
            ("dev/#", "dev/+/#", "#", "+/#"),
            ("dev/#", "dev", "up/#", "up"),
            ("dev/+/+", "dev/1/2", "+/x/+", "1/x/2"),
            // The result would be empty.
            ("dev/#", "dev", "#", nil),
            ("dev/#", "dev/", "#", nil),
            ("dev/+", "dev/", "+", nil),
            // The wildcard of the other side does not match what begins with `$`.
            ("dev/#", "dev/$SYS/x", "#", nil),
            ("dev/#", "dev/$share/g/#", "#", nil),
            ("dev/+/a", "dev/$SYS/a", "+/a", nil),
            ("dev/#", "dev/$SYS/x", "up/#", "up/$SYS/x"),
        ] as [(String, String, String, String?)])
    func fills(from: String, filter: String, to: String, expected: String?) throws {
        let captures = try #require(try TopicPattern(parsing: from).captures(in: filter[...]))
        #expect(try TopicPattern(parsing: to).filled(with: captures) == expected)
    }

    @Test(
        "refuses an invalid filter",
        arguments: [
            ("", PatternError.empty),
            ("a\0", .containsNull),
            ("a/#/b", .multiLevelWildcardNotLast),
            ("#/", .multiLevelWildcardNotLast),
            ("a#", .wildcardNotAlone(level: "a#")),
            ("a/b+/c", .wildcardNotAlone(level: "b+")),
            ("+\u{301}", .wildcardNotAlone(level: "+\u{301}")),
            (String(repeating: "a", count: 65_536), .tooLong),
        ])
    func refuses(source: String, error: PatternError) {
        #expect(throws: error) { try TopicPattern(parsing: source) }
    }

    @Test("the longest filter with the most levels matches")
    func longest() throws {
        let topic = String(repeating: "/", count: 65_535)
        let pattern = try TopicPattern(parsing: topic)
        #expect(pattern.captures(in: topic[...]) == TopicPattern.Captures())
        let all = try TopicPattern(parsing: "+/#")
        #expect(all.captures(in: topic[...]).flatMap(all.filled) == topic)
    }

    /// The level `R`, then each of the pattern's wildcards in a level of its own.
    private func mirror(of pattern: TopicPattern) throws -> TopicPattern {
        let singles = String(repeating: "/+", count: pattern.singleCount)
        return try TopicPattern(parsing: "R" + singles + (pattern.hasTail ? "/#" : ""))
    }
}

@Suite("Routing: properties of patterns")
struct RoutingPatternPropertyTests {
    @Test("a topic matches the intersection if and only if it matches both", arguments: 0..<8)
    func intersection(seed: UInt64) throws {
        var words = TopicWords(seed: seed)
        for _ in 0..<1_500 {
            let first = words.filter()
            let second = words.filter()
            let pattern = try TopicPattern(parsing: first)
            let common = pattern.captures(in: second[...]).flatMap(pattern.filled)
            for _ in 0..<6 {
                let topic = words.topic()
                let inBoth = Reference.matches(topic, first) && Reference.matches(topic, second)
                let inCommon = common.map { Reference.matches(topic, $0) } ?? false
                #expect(inBoth == inCommon, "\(topic) in \(first) and \(second): \(common ?? "nothing")")
            }
        }
    }

    @Test("a pattern matches exactly the topics that the plain definition matches", arguments: 0..<8)
    func matching(seed: UInt64) throws {
        var words = TopicWords(seed: seed &+ 100)
        for _ in 0..<5_000 {
            let filter = words.filter()
            let topic = words.topic()
            let matched = try TopicPattern(parsing: filter).captures(in: topic[...]) != nil
            #expect(matched == Reference.matches(topic, filter), "\(topic) in \(filter)")
        }
    }

    @Test("mapping up and then down gives the topic back", arguments: 0..<8)
    func roundTrip(seed: UInt64) throws {
        var words = TopicWords(seed: seed &+ 200)
        var mapped = 0
        for _ in 0..<3_000 {
            let local = words.filter()
            let remote = words.filter(shapedLike: local)
            let routes = try RoutingTable(routes: [Route(local: local, remote: remote)], unrouted: .pass)
                .resolved(with: RouteVariables())
            let topic = words.topic()
            guard let up = routes.remoteTopic(for: topic) else {
                continue
            }
            mapped += 1
            #expect(Reference.matches(up.topic, remote))
            #expect(routes.localTopic(for: up.topic)?.topic == topic, "\(local) -> \(remote): \(topic)")
        }
        #expect(mapped > 100)
    }

    @Test("a delivery for a mapped filter matches the device's filter and its routes", arguments: 0..<8)
    func subscriptions(seed: UInt64) throws {
        var words = TopicWords(seed: seed &+ 300)
        var delivered = 0
        for _ in 0..<3_000 {
            let local = words.filter()
            let routes = try RoutingTable(
                routes: [Route(local: local, remote: words.filter(shapedLike: local))], unrouted: .reject
            ).resolved(with: RouteVariables())
            let wanted = words.filter()
            for mapped in routes.remoteFilters(for: wanted) {
                for _ in 0..<8 {
                    let topic = words.topic()
                    guard Reference.matches(topic, mapped.filter), let down = routes.localTopic(for: topic) else {
                        continue
                    }
                    delivered += 1
                    #expect(Reference.matches(down.topic, wanted), "\(topic) -> \(down.topic) for \(wanted)")
                    #expect(Reference.matches(down.topic, local))
                }
            }
        }
        #expect(delivered > 100)
    }
}

/// MQTT 4.7 in the plainest form.
private enum Reference {
    static func matches(_ topic: String, _ filter: String) -> Bool {
        if topic.first == "$" && (filter.first == "+" || filter.first == "#") {
            return false
        }
        return matches(
            topic.split(separator: "/", omittingEmptySubsequences: false)[...],
            filter.split(separator: "/", omittingEmptySubsequences: false)[...])
    }

    private static func matches(_ topic: ArraySlice<Substring>, _ filter: ArraySlice<Substring>) -> Bool {
        guard let first = filter.first else { return topic.isEmpty }
        if first == "#" { return true }
        guard let level = topic.first else { return false }
        return (first == "+" || first == level) && matches(topic.dropFirst(), filter.dropFirst())
    }
}

/// Makes random topics and filters from few words, so that they often match.
private struct TopicWords {
    private var random: SplitMix64

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func topic() -> String {
        nonEmpty { words in words.levels { words in words.pick(["a", "b", "c", "", "$s"]) } }
    }

    mutating func filter() -> String {
        nonEmpty { words in
            let levels = words.levels { words in words.pick(["a", "b", "c", "", "$s", "+", "+", "+"]) }
            return words.number(below: 3) == 0 ? (words.number(below: 4) == 0 ? "#" : levels + "/#") : levels
        }
    }

    /// Makes another filter with the same wildcards.
    mutating func filter(shapedLike other: String) -> String {
        var wildcards = other.split(separator: "/").filter { $0 == "+" || $0 == "#" }.map(String.init)
        var levels: [String] = []
        while levels.isEmpty || !wildcards.isEmpty {
            if wildcards.isEmpty || (wildcards != ["#"] && number(below: 2) == 0) {
                levels.append(pick(["a", "b", "c", "$s"]))
            } else if wildcards == ["#"], levels.isEmpty, number(below: 4) != 0 {
                levels.append(pick(["a", "b", "c"]))
            } else {
                levels.append(wildcards.removeFirst())
            }
        }
        return levels.joined(separator: "/")
    }

    private mutating func levels(_ one: (inout TopicWords) -> String) -> String {
        (0...number(below: 4)).map { _ in one(&self) }.joined(separator: "/")
    }

    private mutating func nonEmpty(_ make: (inout TopicWords) -> String) -> String {
        while true {
            let text = make(&self)
            if !text.isEmpty { return text }
        }
    }

    private mutating func pick(_ choices: [String]) -> String {
        choices[number(below: choices.count)]
    }

    private mutating func number(below limit: Int) -> Int {
        Int.random(in: 0..<limit, using: &random)
    }
}
