import Testing

@testable import mqtt_quic_bridge

struct SubscriptionRulesTests {
    @Test(arguments: [
        ("a", "a", true), ("a", "b", false), ("a/b", "a", false), ("a", "a/b", false), ("#", "a/b/c", true),
        ("a/#", "a", true), ("a/#", "a/b/c", true), ("a/#", "ab", false), ("+", "a", true), ("+", "a/b", false),
        ("+/+", "/a", true), ("a/+", "a/", true), ("a/+", "a", false), ("+/b/#", "a/b", true), ("#", "$SYS/x", false),
        ("+/x", "$SYS/x", false), ("$SYS/#", "$SYS/x", true), ("/", "/", true), ("a//b", "a//b", true),
        ("a/+/b", "a//b", true), ("t/\u{E9}", "t/\u{E9}", true),
        // The same letter in other bytes is another topic ([MQTT-4.7.3-4]).
        ("t/\u{E9}", "t/e\u{301}", false), ("t/e\u{301}", "t/\u{E9}", false),
    ])
    func messagesAreFilteredOut(filter: String, topic: String, matches: Bool) {
        var rules = SubscriptionRules(filteredOut: [filter])
        let decision = rules.decide(topic: topic, isRetained: false)
        #expect(decision.isPrinted == !matches)
    }

    @Test func everyMessageIsPrintedByDefault() {
        var rules = SubscriptionRules()
        #expect(rules.decide(topic: "a", isRetained: true) == .init(isPrinted: true))
        #expect(rules.decide(topic: "a", isRetained: false) == .init(isPrinted: true))
    }

    @Test func theCountIsOfMessagesThatPassTheFilters() {
        var rules = SubscriptionRules(ignoresRetained: true, filteredOut: ["x/#"], maximum: 2)
        #expect(rules.decide(topic: "a", isRetained: true) == .init())
        #expect(rules.decide(topic: "x/y", isRetained: false) == .init())
        #expect(rules.decide(topic: "a", isRetained: false) == .init(isPrinted: true))
        #expect(rules.decide(topic: "a", isRetained: false) == .init(isPrinted: true, isLast: true))
        // One that was on its way already is not printed.
        #expect(rules.decide(topic: "a", isRetained: false) == .init(isLast: true))
    }

    @Test func retainedOnlyEndsAtTheFirstOther() {
        var rules = SubscriptionRules(onlyRetained: true, removesRetained: true, filteredOut: ["keep"])
        #expect(rules.decide(topic: "a", isRetained: true) == .init(isPrinted: true, isRemoved: true))
        #expect(rules.decide(topic: "keep", isRetained: true) == .init())
        #expect(rules.decide(topic: "keep", isRetained: false) == .init(isLast: true))
        #expect(rules.decide(topic: "a", isRetained: true) == .init(isLast: true))
    }

    @Test func chanceDecidesOnlyAboutPrinting() {
        var rules = SubscriptionRules(maximum: 2, chancePerMille: 500)
        #expect(rules.decide(topic: "a", isRetained: false, random: 500) == .init())
        #expect(rules.decide(topic: "a", isRetained: false, random: 499) == .init(isPrinted: true, isLast: true))
    }
}
