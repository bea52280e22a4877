import NIOCore

/// A message as a JSON object (RFC 8259), with the names that mosquitto_sub gives its members.
enum MessageJSON {
    /// Writes the payload as a string; bytes that are not UTF-8 become U+FFFD.
    static func write(
        _ message: ReceivedMessage, _ time: MessageTime, isPretty: Bool, into output: inout ByteBuffer
    ) {
        var writer = JSONWriter(isPretty: isPretty, output: output)
        writer.object { writer in
            head(message, time, &writer)
            writer.key("payload")
            if message.payload.readableBytes == 0 {
                writer.raw("null")
            } else {
                writer.string(String(decoding: message.payload.readableBytesView, as: UTF8.self))
            }
        }
        output = writer.output
    }

    /// In bytes. The indentation of a longer payload could take more than a hundred times its size, so it gets one line.
    static let longestPrettyPayload = 1_048_576

    /// Writes the payload, which must be JSON itself, as it is.
    ///
    /// - Throws: If the payload is not JSON. Nothing is written then.
    static func writeUnquoted(
        _ message: ReceivedMessage, _ time: MessageTime, isPretty: Bool, into output: inout ByteBuffer
    ) throws(JSONScanner.Problem) {
        let payload = Array(message.payload.readableBytesView)
        if !payload.isEmpty { try JSONScanner.scan(payload) }
        var writer = JSONWriter(isPretty: isPretty && payload.count <= longestPrettyPayload, output: output)
        writer.object { writer in
            head(message, time, &writer)
            writer.key("payload")
            guard !payload.isEmpty else { return writer.raw("null") }
            // This scan finds no error, because the first one found none. The tokens are not kept in between: they would be
            // forty times as large as the payload.
            try? JSONScanner.scan(payload) { writer.token($0, of: payload) }
        }
        output = writer.output
    }

    private static func head(_ message: ReceivedMessage, _ time: MessageTime, _ writer: inout JSONWriter) {
        writer.member("tst", string: time.json)
        writer.member("topic", string: message.topic)
        writer.member("qos", number: message.qos)
        writer.member("retain", number: message.isRetained ? 1 : 0)
        writer.member("payloadlen", number: message.payload.readableBytes)
        if message.qos > 0 { writer.member("mid", number: message.packetID) }
        if message.properties != ReceivedMessage.Properties() {
            writer.key("properties")
            writer.object { properties(message.properties, &$0) }
        }
    }

    private static func properties(_ properties: ReceivedMessage.Properties, _ writer: inout JSONWriter) {
        if !properties.userProperties.isEmpty {
            writer.key("user-properties")
            writer.object { writer in
                for property in properties.userProperties { writer.member(property.name, string: property.value) }
            }
        }
        if let type = properties.contentType { writer.member("content-type", string: type) }
        if let data = properties.correlationData {
            writer.member("correlation-data", string: String(decoding: data, as: UTF8.self))
        }
        if let topic = properties.responseTopic { writer.member("response-topic", string: topic) }
        if let format = properties.payloadFormat { writer.member("payload-format-indicator", number: format) }
        if let expiry = properties.expiry { writer.member("message-expiry-interval", number: expiry) }
        if let alias = properties.topicAlias { writer.member("topic-alias", number: alias) }
        for identifier in properties.subscriptionIdentifiers {
            writer.member("subscription-identifier", number: identifier)
        }
    }
}
