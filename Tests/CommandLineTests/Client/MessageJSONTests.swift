import Foundation
import NIOCore
import Testing

@testable import mqtt_quic_bridge

struct MessageJSONTests {
    private static let time = MessageTime(seconds: 1_795_955_041, nanoseconds: 61_626_941)

    private static func json(_ message: ReceivedMessage, isPretty: Bool = false) -> String {
        var output = ByteBuffer()
        MessageJSON.write(message, time, isPretty: isPretty, into: &output)
        return String(buffer: output)
    }

    private static func unquoted(_ payload: String, isPretty: Bool = false) throws -> String {
        var output = ByteBuffer()
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer(string: payload))
        try MessageJSON.writeUnquoted(message, time, isPretty: isPretty, into: &output)
        return String(buffer: output)
    }

    @Test func aMessage() {
        let message = ReceivedMessage(topic: "a/b", payload: ByteBuffer(string: "hello"))
        #expect(
            Self.json(message)
                == #"{"tst":"\#(Self.time.json)","topic":"a/b","qos":0,"retain":0,"payloadlen":5,"payload":"hello"}"#)
        #expect(Self.time.json.contains(/^2026-11-\d\dT\d\d:\d\d:\d\d\.061626Z[+-]\d{4}$/))
    }

    @Test func everyMember() {
        var message = ReceivedMessage(topic: "t", payload: ByteBuffer())
        message.qos = 2
        message.isRetained = true
        message.packetID = 9
        message.properties = .init(
            payloadFormat: 1, expiry: 100, contentType: "text/plain", responseTopic: "r",
            correlationData: [0x61, 0xFF],
            subscriptionIdentifiers: [5], topicAlias: 3,
            userProperties: [.init(name: "k", value: "v"), .init(name: "k", value: "\"")])
        #expect(
            Self.json(message).hasSuffix(
                #","qos":2,"retain":1,"payloadlen":0,"mid":9,"properties":{"user-properties":{"k":"v","k":"\""},"#
                    + #""content-type":"text/plain","correlation-data":"a\#u{FFFD}","response-topic":"r","#
                    + #""payload-format-indicator":1,"message-expiry-interval":100,"topic-alias":3,"#
                    + #""subscription-identifier":5},"payload":null}"#))
    }

    /// Whatever the payload, a reader of JSON gets it back; bytes that are not UTF-8 become U+FFFD.
    @Test(arguments: [
        "\"quoted\\\"", "\n\r\t\u{8}\u{C}\u{1}\u{1F}\0", "é😀\u{7F}", "</script>",
        String(repeating: "x", count: 100_000),
    ])
    func anyTextSurvives(payload: String) throws {
        let message = ReceivedMessage(topic: payload, payload: ByteBuffer(string: payload))
        for isPretty in [false, true] {
            let text = Self.json(message, isPretty: isPretty)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(object["payload"] as? String == payload)
            #expect(object["topic"] as? String == payload)
        }
    }

    @Test func bytesThatAreNoTextAreReplaced() {
        let message = ReceivedMessage(topic: "t", payload: ByteBuffer(bytes: [0x61, 0xFF, 0x00]))
        #expect(Self.json(message).hasSuffix(#""payload":"a\#u{FFFD}\u0000"}"#))
    }

    @Test(arguments: [
        (#" { "a" : [ 1 , 2.50 , 1e3 ] , "b":"\u00e9x\/" } "#, #"{"a":[1,2.50,1e3],"b":"\u00e9x\/"}"#),
        ("-0.0", "-0.0"), ("\n[]\n", "[]"), ("{}", "{}"), ("null", "null"), ("[[],{}]", "[[],{}]"), ("", "null"),
        ("12345678901234567890", "12345678901234567890"),
    ])
    func jsonPayloadsKeepTheirValues(payload: String, expected: String) throws {
        #expect(try Self.unquoted(payload).hasSuffix(#","payload":\#(expected)}"#))
    }

    /// The layout of mosquitto_sub --pretty.
    @Test func prettyObjectsHaveTabs() throws {
        let text = try Self.unquoted(#"{"a":[1,{"c":true},[]],"b":{"d":"x"},"e":{}}"#, isPretty: true)
        let payload = [
            "\t\"payload\":\t{", "\t\t\"a\":\t[1, {", "\t\t\t\t\"c\":\ttrue", "\t\t\t}, []],", "\t\t\"b\":\t{",
            "\t\t\t\"d\":\t\"x\"", "\t\t},", "\t\t\"e\":\t{", "\t\t}", "\t}", "}",
        ]
        #expect(text.hasPrefix("{\n\t\"tst\":\t\""))
        #expect(text.split(separator: "\n").suffix(payload.count).map(String.init) == payload)
        #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any])
    }

    /// Deep and long together would take more than a hundred times the size of the payload.
    @Test func aLongPayloadStaysOnOneLine() throws {
        let deep = String(repeating: "[", count: 100) + "1" + String(repeating: "]", count: 100)
        let longest = "[" + String(repeating: " ", count: MessageJSON.longestPrettyPayload - 2) + "]"
        #expect(try Self.unquoted(longest, isPretty: true).contains("\n"))
        let longer = "[\(deep)," + String(repeating: " ", count: MessageJSON.longestPrettyPayload) + "1]"
        let text = try Self.unquoted(longer, isPretty: true)
        #expect(!text.contains("\n") && text.hasSuffix(#","payload":[\#(deep),1]}"#))
    }
}
