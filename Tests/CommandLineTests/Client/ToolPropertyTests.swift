import MQTTQUICClient
import NIOCore
import Testing

@testable import mqtt_quic_bridge

struct ToolPropertyTests {
    private static func properties(_ lines: [[String]]) throws -> ToolProperties {
        try ToolProperties(lines.map { try ToolProperty($0.joined(separator: "\0")) })
    }

    @Test func everyProperty() throws {
        let properties = try Self.properties([
            ["connect", "session-expiry-interval", "4294967295"], ["CONNECT", "Receive-Maximum", "1"],
            ["connect", "maximum-packet-size", "1000"], ["connect", "user-property", "n", "v"],
            ["publish", "payload-format-indicator", "1"], ["publish", "message-expiry-interval", "60"],
            ["publish", "content-type", "text/plain"], ["publish", "response-topic", "r/t"],
            ["publish", "correlation-data", "abc"], ["publish", "user-property", "a", ""],
            ["publish", "user-property", "a", "-1"], ["subscribe", "subscription-identifier", "268435455"],
            ["subscribe", "user-property", "s", "1"], ["unsubscribe", "user-property", "u", "2"],
            ["disconnect", "session-expiry-interval", "0"], ["disconnect", "user-property", "d", "3"],
            ["will", "will-delay-interval", "30"], ["will", "content-type", "x"], ["will", "user-property", "w", "4"],
        ])
        #expect(properties.connect.sessionExpiry == .max && properties.connect.receiveMaximum == 1)
        #expect(properties.connect.maximumPacketSize == 1_000)
        #expect(properties.connect.userProperties == [MQTTUserProperty("n", "v")])
        #expect(properties.publish.payloadFormat == .text && properties.publish.expiry == .seconds(60))
        #expect(properties.publish.contentType == "text/plain" && properties.publish.responseTopic == "r/t")
        #expect(properties.publish.correlationData == ByteBuffer(string: "abc"))
        #expect(properties.publish.userProperties == [MQTTUserProperty("a", ""), MQTTUserProperty("a", "-1")])
        #expect(properties.subscribe.identifier == 268_435_455)
        #expect(properties.subscribe.userProperties == [MQTTUserProperty("s", "1")])
        #expect(properties.unsubscribe == [MQTTUserProperty("u", "2")])
        #expect(properties.disconnect.sessionExpiry == 0)
        #expect(properties.disconnect.userProperties == [MQTTUserProperty("d", "3")])
        #expect(properties.willDelay == 30 && properties.will.contentType == "x")
        #expect(properties.will.userProperties == [MQTTUserProperty("w", "4")])
    }

    @Test(arguments: [
        (["publish"], "-D needs a packet, a property and its value"),
        (["publish", "content-type"], "-D needs a packet"),
        (["publish", "user-property", "a"], "user-property needs a name and a value"),
        (["publich", "content-type", "a"], "\"publich\" is not a packet"),
        (["puback", "user-property", "a", "b"], "properties of PUBACK cannot be set"),
        (["publish", "contenttype", "a"], "did you mean \"content-type\"?"),
        (["publish", "topic-alias", "1"], "because the client sends every topic in full"),
        (["connect", "authentication-method", "x"], "no extended authentication"),
        (["connect", "content-type", "x"], "content-type is not a property of CONNECT, but of PUBLISH and WILL"),
        (["subscribe", "session-expiry-interval", "1"], "but of CONNECT and DISCONNECT"),
        (["connect", "receive-maximum", "0"], "is not a number from 1 to 65535"),
        (["connect", "receive-maximum", "65536"], "is not a number from 1 to 65535"),
        (["connect", "maximum-packet-size", "0"], "is not a number from 1 to 4294967295"),
        (["publish", "payload-format-indicator", "2"], "is not a number from 0 to 1"),
        (["publish", "message-expiry-interval", "-1"], "is not a number from 0 to 4294967295"),
        (["subscribe", "subscription-identifier", "0"], "is not a number from 1 to 268435455"),
        (["publish", "response-topic", "a/#"], "must be a topic without wildcards"),
        (["publish", "content-type", String(repeating: "x", count: 65_536)], "longer than 65535 bytes"),
        (["publish", "correlation-data", String(repeating: "x", count: 65_536)], "longer than 65535 bytes"),
    ])
    func errorsSayWhatWouldBeRight(words: [String], message: String) {
        let error = #expect(throws: UsageError.self) { try Self.properties([words]) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func onePropertyTwiceIsAnError() {
        let error = #expect(throws: UsageError.self) {
            try Self.properties([["publish", "content-type", "a"], ["publish", "content-type", "b"]])
        }
        #expect(error?.description == "content-type of PUBLISH is given twice; keep one")
        #expect(throws: Never.self) {
            try Self.properties([["publish", "content-type", "a"], ["will", "content-type", "b"]])
        }
    }
}
