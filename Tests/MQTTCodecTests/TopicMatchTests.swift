import MQTTCodec
import Testing

struct TopicMatchTests {
    @Test(
        "A filter matches topics as MQTT 5 4.7 has it",
        arguments: [
            ("a/b", "a/b", true), ("a/b", "a/c", false), ("a/b", "a", false), ("a", "a/b", false),
            ("a/+", "a/b", true), ("a/+", "a/", true), ("a/+", "a", false), ("a/+", "a/b/c", false),
            ("a/#", "a/b/c", true), ("a/#", "a", true), ("a/#", "b", false), ("a/#", "ab", false),
            ("#", "a/b", true), ("+", "a", true), ("+", "/a", false), ("+/+", "/a", true), ("/+", "/a", true),
            ("+/b/#", "a/b", true), ("+/b/#", "a/b/c/d", true), ("+/b/#", "a/c", false),
            ("#", "$SYS/x", false), ("+/x", "$SYS/x", false), ("$SYS/#", "$SYS/x", true), ("$SYS/+", "$SYS/x", true),
            ("$share/g/a/#", "a/b", true), ("$share/g/#", "$SYS/x", false), ("$share/g/a", "b", false),
            ("a//b", "a//b", true), ("a/+/b", "a//b", true), ("é/+", "é/ü", true), ("é", "e\u{301}", false),
        ])
    func matches(filter: String, topic: String, expected: Bool) {
        #expect(TopicFilter.matches(filter, topic: topic) == expected)
    }
}
