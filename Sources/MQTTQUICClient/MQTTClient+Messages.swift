import NIOCore

extension MQTTClient {
    /// Publishes a message.
    ///
    /// While the client makes a lost connection anew, the message waits. A message that was sent may arrive even if the
    /// task is cancelled.
    /// - Returns: When the broker has acknowledged it: PUBACK or PUBCOMP. With QoS 0, when it was handed to the
    ///   connection, where no more than a fixed number of bytes wait.
    @discardableResult
    public func publish(_ message: MQTTMessage) async throws(MQTTClientError) -> MQTTPublishAnswer {
        try await call { $0.publish($1, message, $2) }
    }

    /// Subscribes, and unsubscribes when the sequence is let go of.
    ///
    /// - Parameters:
    ///   - identifier: Appears in ``MQTTMessageProperties/subscriptionIdentifiers`` of the messages. Below 200 000 000.
    ///   - buffer: How many messages may wait to be taken.
    /// - Throws: If the broker refuses all of the filters; ``MQTTMessages/granted`` tells of those that it refused.
    public func subscribe(
        to subscriptions: [MQTTSubscription], identifier: UInt32? = nil, userProperties: [MQTTUserProperty] = [],
        buffer: Int = 64
    ) async throws(MQTTClientError) -> MQTTMessages {
        let operation = nextOperation()
        let handle = handle(for: operation, limit: buffer)
        let wish = SubscribeWish(
            subscriptions: subscriptions, identifier: identifier, userProperties: userProperties)
        let messages = handle.buffer
        let granted: [MQTTReasonCode] = try await call(operation) { $0.subscribe($1, wish, messages, $2) }
        return MQTTMessages(granted: granted, handle: handle)
    }

    /// Subscribes, runs `body`, and unsubscribes.
    @discardableResult
    public func subscribe<Result: Sendable>(
        to subscriptions: [MQTTSubscription], identifier: UInt32? = nil, userProperties: [MQTTUserProperty] = [],
        buffer: Int = 64, _ body: (MQTTMessages) async throws -> Result
    ) async throws -> Result {
        let messages = try await subscribe(
            to: subscriptions, identifier: identifier, userProperties: userProperties, buffer: buffer)
        return try await body(messages)
    }

    /// The messages that no subscription of this client asked for: those of an earlier session, before it subscribes
    /// again. Ask for it before ``connect()``. As long as nobody does, such messages are acknowledged and dropped.
    ///
    /// Only the sequence that was asked for last gets messages. It ends with the connection, but not if ``connect()``
    /// fails.
    public func unclaimedMessages(buffer: Int = 64) -> MQTTMessages {
        let operation = nextOperation()
        let handle = handle(for: operation, limit: buffer)
        let messages = handle.buffer
        onLoop { $0.setUnclaimed(operation, messages) }
        return MQTTMessages(granted: [], handle: handle)
    }

    private func handle(for operation: ClientOperation, limit: Int) -> SubscriptionHandle {
        let runtime = runtime
        let eventLoop = eventLoop
        let buffer = MessageBuffer(limit: limit) { delivery in
            eventLoop.execute { runtime.value.taken(delivery, from: operation) }
        }
        return SubscriptionHandle(buffer) { eventLoop.execute { runtime.value.abandon(operation) } }
    }

    /// Ends subscriptions. Sequences all of whose filters are named end as well, after the messages that have come.
    ///
    /// If the task is cancelled after the request was sent, the sequences end as well.
    /// - Returns: The broker's answer for each filter. MQTT 3.1.1 has none, which counts as success.
    @discardableResult
    public func unsubscribe(
        from filters: [String], userProperties: [MQTTUserProperty] = []
    ) async throws(MQTTClientError) -> [MQTTReasonCode] {
        try await call { $0.unsubscribe($1, filters, userProperties, $2) }
    }

    /// Publishes a message and waits for its answer (MQTT 5 4.10).
    ///
    /// The correlation data is the client's own. So is the response topic, unless the message has one; the client
    /// subscribes to it with the first request and stays subscribed. With more than 16 response topics, it unsubscribes
    /// from those that no request waits at.
    /// - Throws: ``MQTTClientError/timedOut(operation:after:)`` if no answer comes in time, and
    ///   ``MQTTClientError/notConnected`` also while a lost connection is being made anew.
    public func request(
        _ message: MQTTMessage, timeout: Duration
    ) async throws(MQTTClientError) -> MQTTMessage {
        let subscribing = nextOperation()
        return try await call {
            $0.request($1, subscribing: subscribing, message, timeout: timeout, $2)
        }
    }
}
