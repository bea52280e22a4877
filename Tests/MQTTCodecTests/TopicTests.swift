import Testing

@testable import MQTTCodec

@Suite("Topic names and filters")
struct TopicTests {
    @Test(arguments: [
        "a", "/", "//", "a/b", "/a", "a/", "$SYS/x", "a b", "温度", "a\u{FEFF}b", String(repeating: "t", count: 65_535),
    ])
    func goodName(_ name: String) throws {
        try TopicName.validate(name)
        try TopicFilter.validate(name)
    }

    @Test(arguments: [
        ("", "[MQTT-4.7.3-1]"), ("a+", "[MQTT-4.7.0-1]"), ("#", "[MQTT-4.7.0-1]"), ("a\0", "[MQTT-4.7.3-2]"),
        (String(repeating: "t", count: 65_536), "[MQTT-4.7.3-3]"),
        (String(repeating: "ä", count: 32_768), "[MQTT-4.7.3-3]"),
    ])
    func badName(_ name: String, _ clause: String) {
        let error = #expect(throws: MQTTError.self) { try TopicName.validate(name) }
        #expect(error?.clause == clause)
        #expect(error?.kind == .malformed)
    }

    @Test(arguments: [
        "#", "+", "/#", "+/#", "a/#", "a/+", "+/a", "+/+", "/+/", "a/+/b/#", "//#", "$SYS/#", "$share", "$share/g/a",
        "$share/g//", "$share/g/#", "$share/g/+/a", "$share/g/$share/h/a", "$sharex/+", "$queue/a", "$SHARE/g",
    ])
    func goodFilter(_ filter: String) throws { try TopicFilter.validate(filter) }

    @Test(arguments: [
        ("", "[MQTT-4.7.3-1]"), ("a\0", "[MQTT-4.7.3-2]"), ("##", "[MQTT-4.7.1-1]"), ("#/", "[MQTT-4.7.1-1]"),
        ("a#", "[MQTT-4.7.1-1]"), ("#a", "[MQTT-4.7.1-1]"), ("a/#/b", "[MQTT-4.7.1-1]"), ("++", "[MQTT-4.7.1-2]"),
        ("a/b+", "[MQTT-4.7.1-2]"), ("+b/a", "[MQTT-4.7.1-2]"), ("+#", "[MQTT-4.7.1-1]"), ("#+", "[MQTT-4.7.1-1]"),
        ("$share/", "[MQTT-4.8.2-1]"), ("$share//", "[MQTT-4.8.2-1]"), ("$share/g", "[MQTT-4.8.2-2]"),
        ("$share/#", "[MQTT-4.8.2-2]"), ("$share/a+/b", "[MQTT-4.8.2-2]"), ("$share/g/", "[MQTT-4.7.3-1]"),
        ("$share/g/a#", "[MQTT-4.7.1-1]"), (String(repeating: "t", count: 65_536), "[MQTT-4.7.3-3]"),
    ])
    func badFilter(_ filter: String, _ clause: String) {
        let error = #expect(throws: MQTTError.self) { try TopicFilter.validate(filter) }
        #expect(error?.clause == clause)
    }

    @Test("3.1.1 has rules and numbers of its own")
    func version3() throws {
        try TopicFilter.validate("$share//+", version: .v3_1_1)
        let error = #expect(throws: MQTTError.self) { try TopicFilter.validate("a+", version: .v3_1_1) }
        #expect(error?.clause == "[MQTT-4.7.1-3]")
        #expect(throws: MQTTError.self) { try TopicName.validate("a+", version: .v3_1_1) }
    }
}
