import MQTTQUICClient
import NIOCore

import enum MQTTCodec.TopicName

/// What `pub` publishes.
struct PublishPlan: Equatable, Sendable {
    /// In bytes: the longest MQTT packet (MQTT 5 2.1.4).
    static let maximumPayload = 268_435_455

    enum Source: Equatable, Sendable {
        case text(String)
        case empty
        case file(String)
        /// All of standard input is one message.
        case standardInput
        /// Each line of standard input is a message.
        case lines
    }

    var topic: String
    var source: Source
    var qos = MQTTQoS.atMostOnce
    var isRetained = false
    var properties = MQTTMessageProperties()
    /// How often the message is published; 1 for lines.
    var count = 1
    var delay = Duration.zero
    /// How many messages may wait for their acknowledgement.
    var window = 20
    /// How many bytes these may have together: what the client takes.
    var byteWindow = MQTTClientConfiguration(host: "").maximumOutstandingBytes

    /// - Throws: If topic or source is missing, or there are several sources.
    init(topic: String?, sources: [Source]) throws(UsageError) {
        guard let topic else { throw UsageError("the topic is missing: give one with -t") }
        do {
            try TopicName.validate(topic)
        } catch {
            throw UsageError("-t: \(error.message); messages are published to one topic, without + and #")
        }
        guard let source = sources.first else {
            throw UsageError(
                "the message is missing: give one with -m, -f (a file), -s (standard input), -l (its lines) or -n (empty)"
            )
        }
        guard sources.count == 1 else {
            throw UsageError("-m, -f, -s, -l and -n exclude each other: give one of them")
        }
        self.topic = topic
        self.source = source
    }

    var sendWindow: PublishWindow { PublishWindow(messages: window, bytes: byteWindow) }

    func message(_ payload: ByteBuffer) -> MQTTMessage {
        MQTTMessage(topic: topic, payload: payload, qos: qos, isRetained: isRetained, properties: properties)
    }
}
