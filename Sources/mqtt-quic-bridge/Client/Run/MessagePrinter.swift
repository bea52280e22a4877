import MQTTQUICClient
import NIOCore

/// Prints the messages that `sub` receives, one after the other.
actor MessagePrinter {
    private var rules: SubscriptionRules
    private let style: OutputStyle
    private let endsLines: Bool
    private let client: MQTTClient
    private let console: ToolConsole
    private let write: @Sendable (ByteBuffer) async throws -> Void
    /// What is done with the message before. Two tasks bring messages if an earlier session goes on.
    private var last: Task<Void, any Error>?

    /// - Parameter write: Writes to standard output.
    init(
        _ rules: SubscriptionRules, _ style: OutputStyle, endsLines: Bool, _ client: MQTTClient, _ console: ToolConsole,
        write: @escaping @Sendable (ByteBuffer) async throws -> Void = { try await StandardStreams.write($0) }
    ) {
        self.rules = rules
        self.style = style
        self.endsLines = endsLines
        self.client = client
        self.console = console
        self.write = write
    }

    /// Returns when the message and all before it are printed.
    ///
    /// - Returns: Whether this was the last message.
    /// - Throws: ``StandardStreams/Failure`` if standard output cannot be written.
    func take(_ message: MQTTMessage) async throws -> Bool {
        let random = rules.chancePerMille < 1_000 ? Int.random(in: 0..<1_000) : 0
        let decision = rules.decide(topic: message.topic, isRetained: message.isRetained, random: random)
        let task = Task { [before = last] in
            try await before?.value
            try await perform(decision, message)
        }
        last = task
        try await task.value
        return decision.isLast
    }

    private func perform(_ decision: SubscriptionRules.Decision, _ message: MQTTMessage) async throws {
        if decision.isRemoved { await remove(message.topic) }
        guard decision.isPrinted else { return }
        var output = ByteBuffer()
        let problem = style.render(ReceivedMessage(message), at: .now(), endsLine: endsLines, into: &output)
        try await write(output)
        if let problem { console.error(problem) }
    }

    /// Asks the broker to forget what it keeps for a topic. This is not acknowledged: with more messages on their way than
    /// the client takes unread, an acknowledgement behind them would never come.
    private func remove(_ topic: String) async {
        do {
            try await client.publish(MQTTMessage(topic: topic, isRetained: true))
        } catch {
            console.error("the retained message on topic \(topic) is not removed: \(error)")
        }
    }
}

extension ReceivedMessage {
    init(_ message: MQTTMessage) {
        self.init(topic: message.topic, payload: message.payload)
        qos = message.qos.rawValue
        isRetained = message.isRetained
        packetID = message.packetID ?? 0
        let from = message.properties
        properties.payloadFormat = from.payloadFormat?.rawValue
        properties.expiry = from.expiry.map { UInt32(clamping: $0.components.seconds) }
        properties.contentType = from.contentType
        properties.responseTopic = from.responseTopic
        properties.correlationData = from.correlationData.map { Array($0.readableBytesView) }
        properties.subscriptionIdentifiers = from.subscriptionIdentifiers
        properties.userProperties = from.userProperties.map { .init(name: $0.name, value: $0.value) }
    }
}
